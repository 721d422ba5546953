export type Arch = "x64" | "arm64";
export declare const bunVersion: string;
export declare function bunPath(arch: Arch): string;
export declare function installBun(arch: Arch): string;
