/**
 * From now on code that runs often is compiled to machine code as usual. The executable starts with its compilers held
 * back (`jitPolicy` in scripts/build.ts), as what a start runs once is done before they would be.
 */
export const compileHotCode = () => Bun.unsafe.setJITPolicy(1);
