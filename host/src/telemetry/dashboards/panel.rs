//! A panel: what it asks, how it draws the answer, and what its reader should do about it; as Grafana reads it.

use serde_json::{Value, json};

/// How a panel draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A number.
    Stat,
    /// Lines over time.
    Lines,
    /// Buckets over time.
    Heatmap,
    /// A row of states over time for each series.
    States,
    /// Labels of the series as they are now.
    Table,
}

/// A panel.
#[derive(Clone, Debug)]
pub struct Panel {
    title: &'static str,
    description: &'static str,
    form: Form,
    unit: &'static str,
    targets: Vec<Target>,
    width: u32,
    exemplars: bool,
    stacked: bool,
    names: bool,
    most: Option<f64>,
    red_from: Option<f64>,
}

#[derive(Clone, Debug)]
struct Target {
    expression: String,
    legend: String,
}

/// Where a panel stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Number of the panel, from 1.
    pub id: u32,
    /// From the left, in 24ths of the width.
    pub x: u32,
    /// From the top.
    pub y: u32,
}

/// The whole width.
pub const WIDTH: u32 = 24;

/// The datasource that the dashboard's reader chose.
pub fn datasource() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

// === impl Panel ===

impl Panel {
    /// A number: the sum of what was asked, or one for each series.
    pub fn stat(title: &'static str, description: &'static str) -> Self {
        Panel { width: 4, ..Panel::new(Form::Stat, title, description) }
    }

    /// Lines over time.
    pub fn lines(title: &'static str, description: &'static str) -> Self {
        Panel::new(Form::Lines, title, description)
    }

    /// Buckets of a histogram over time.
    pub fn heatmap(title: &'static str, description: &'static str) -> Self {
        Panel::new(Form::Heatmap, title, description)
    }

    /// States over time.
    pub fn states(title: &'static str, description: &'static str) -> Self {
        Panel::new(Form::States, title, description)
    }

    /// Labels of series.
    pub fn table(title: &'static str, description: &'static str) -> Self {
        Panel::new(Form::Table, title, description)
    }

    fn new(form: Form, title: &'static str, description: &'static str) -> Self {
        let (targets, exemplars, stacked, names, most, red_from) = Default::default();
        Panel { title, description, form, unit: "short", targets, width: 12, exemplars, stacked, names, most, red_from }
    }

    /// Asks this, too, and calls each series of the answer so.
    pub fn query(mut self, legend: impl Into<String>, expression: impl ToString) -> Self {
        self.targets.push(Target { expression: expression.to_string(), legend: legend.into() });
        self
    }

    /// In this unit, by Grafana's name for it.
    pub fn unit(self, unit: &'static str) -> Self {
        Panel { unit, ..self }
    }

    /// So wide, in 24ths.
    pub fn width(self, width: u32) -> Self {
        Panel { width, ..self }
    }

    /// With points that lead to traces.
    pub fn with_exemplars(self) -> Self {
        Panel { exemplars: true, ..self }
    }

    /// One series on top of the other.
    pub fn stacked(self) -> Self {
        Panel { stacked: true, ..self }
    }

    /// Shows the series' name, too.
    pub fn with_names(self) -> Self {
        Panel { names: true, ..self }
    }

    /// Up to this at least.
    pub fn up_to(self, most: f64) -> Self {
        Panel { most: Some(most), ..self }
    }

    /// Red from here.
    pub fn red_from(self, limit: f64) -> Self {
        Panel { red_from: Some(limit), ..self }
    }

    /// How wide and how high it is.
    pub fn size(&self) -> (u32, u32) {
        (self.width, if self.form == Form::Stat { 4 } else { 8 })
    }

    /// As Grafana reads it.
    pub fn render(&self, place: Place) -> Value {
        let (width, height) = self.size();
        let kind = match self.form {
            Form::Stat => "stat",
            Form::Lines => "timeseries",
            Form::Heatmap => "heatmap",
            Form::States => "state-timeline",
            Form::Table => "table",
        };
        let mut panel = json!({
            "id": place.id,
            "type": kind,
            "title": self.title,
            "description": self.description,
            "datasource": datasource(),
            "gridPos": {"x": place.x, "y": place.y, "w": width, "h": height},
            "targets": self.targets.iter().zip('A'..).map(|(target, id)| self.target(target, id)).collect::<Vec<_>>(),
            "fieldConfig": {"defaults": self.defaults(), "overrides": []},
            "options": self.options(),
        });
        if self.form == Form::Table {
            let hidden = json!({"Time": true, "Value": true, "__name__": true});
            panel["transformations"] = json!([{"id": "organize", "options": {"excludeByName": hidden}}]);
        }
        panel
    }

    fn target(&self, target: &Target, id: char) -> Value {
        let now = matches!(self.form, Form::Table);
        let format = match self.form {
            Form::Heatmap => "heatmap",
            Form::Table => "table",
            _ => "time_series",
        };
        json!({
            "refId": id.to_string(),
            "datasource": datasource(),
            "editorMode": "code",
            "expr": target.expression,
            "legendFormat": target.legend,
            "format": format,
            "instant": now,
            "range": !now,
            "exemplar": self.exemplars,
        })
    }

    fn defaults(&self) -> Value {
        let mut steps = vec![json!({"color": "green", "value": null})];
        steps.extend(self.red_from.map(|limit| json!({"color": "red", "value": limit})));
        let mut defaults = json!({"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}});
        match self.form {
            Form::Stat => {}
            Form::Lines => {
                let stacking = if self.stacked { "normal" } else { "none" };
                defaults["min"] = json!(0);
                defaults["custom"] = json!({
                    "drawStyle": "line",
                    "lineWidth": 1,
                    "fillOpacity": if self.stacked { 30 } else { 5 },
                    "showPoints": "never",
                    "spanNulls": false,
                    "stacking": {"mode": stacking, "group": "A"},
                    "thresholdsStyle": {"mode": if self.red_from.is_some() { "dashed" } else { "off" }},
                });
            }
            Form::States => {
                let state = |text: &str, color: &str| json!({"text": text, "color": color});
                let options = json!({"0": state("", "transparent"), "1": state("bottleneck", "orange")});
                defaults["mappings"] = json!([{"type": "value", "options": options}]);
                defaults["custom"] = json!({"fillOpacity": 80, "lineWidth": 0});
            }
            Form::Heatmap | Form::Table => {}
        }
        if let Some(most) = self.most {
            defaults["max"] = json!(most);
        }
        defaults
    }

    fn options(&self) -> Value {
        match self.form {
            Form::Stat => json!({
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
                "colorMode": if self.red_from.is_some() { "background" } else { "value" },
                "graphMode": if self.names { "none" } else { "area" },
                "textMode": if self.names { "value_and_name" } else { "value" },
                "justifyMode": "auto",
                "orientation": "auto",
            }),
            Form::Lines => json!({
                "legend": {"displayMode": "table", "placement": "right", "showLegend": true, "calcs": ["lastNotNull", "max"]},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }),
            Form::Heatmap => json!({
                "calculate": false,
                "cellGap": 1,
                "color": {"mode": "scheme", "scheme": "Oranges", "scale": "exponential", "exponent": 0.5, "steps": 64},
                "exemplars": {"color": "rgba(255,0,255,0.7)"},
                "filterValues": {"le": 1e-9},
                "legend": {"show": true},
                "rowsFrame": {"layout": "auto"},
                "tooltip": {"mode": "single", "showColorScale": true, "yHistogram": true},
                "yAxis": {"axisPlacement": "left", "unit": self.unit},
            }),
            Form::States => json!({"mergeValues": true, "showValue": "never", "rowHeight": 0.8, "legend": {"showLegend": false}}),
            Form::Table => json!({"showHeader": true, "cellHeight": "sm"}),
        }
    }
}
