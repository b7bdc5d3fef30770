// A transform of `asc`: exports get the names that the contract has for them, which AssemblyScript cannot spell.
const INTERFACE = 'parshall:stage/transform@0.1.0#';

export default class {
  afterCompile(module) {
    for (const name of ['describe', 'open', 'process', 'finish', 'snapshot']) {
      this.rename(module, name, INTERFACE + name);
      module.addFunctionExport(this.functionOf(module, 'over'), `cabi_post_${INTERFACE}${name}`);
    }
    module.removeExport('over');
  }

  functionOf(module, name) {
    return this.binaryen.getExportInfo(module.getExport(name)).value;
  }

  rename(module, from, to) {
    const value = this.functionOf(module, from);
    module.removeExport(from);
    module.addFunctionExport(value, to);
  }
}
