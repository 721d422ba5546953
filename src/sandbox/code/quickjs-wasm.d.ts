/** Path of the package's file: QuickJS as WebAssembly. Embedded by `with { type: "file" }`. */
declare module "@jitl/quickjs-wasmfile-release-sync/wasm" {
  const path: string;
  export default path;
}
