/** What we use of the C library: system calls that Bun lacks. */
export interface Libc {
  /** A system call by its number; throws a {@link SystemError} when it fails. Buffers are passed by address. */
  systemCall(
    number: number,
    first: number,
    second: Uint8Array,
    third: BigUint64Array,
    fourth: number,
  ): number;
}

/** A failed system call, with the name of its error (`ENOENT`) as Node's own errors have it. */
export class SystemError extends Error {
  readonly code: string;

  constructor(code: string, what: string) {
    super(`${code}: ${what}`);
    this.name = "SystemError";
    this.code = code;
  }
}

async function load(): Promise<Libc> {
  const { dlopen, FFIType, read } = await import("bun:ffi");
  // Here and not above: it takes 2 ms of a start that may never come here.
  const { getSystemErrorName } = await import("node:util");
  const { symbols } = dlopen("libc.so.6", {
    syscall: {
      args: [FFIType.i64_fast, FFIType.i64_fast, FFIType.ptr, FFIType.ptr, FFIType.u64_fast],
      returns: FFIType.i64_fast,
    },
    __errno_location: { args: [], returns: FFIType.ptr },
  });
  const errno = symbols.__errno_location();
  if (errno === null) throw new Error("The C library does not say where errno is.");
  return {
    systemCall(number, first, second, third, fourth) {
      const result = Number(symbols.syscall(number, first, second, third, fourth));
      // Read at once: anything in between could make a call of its own and overwrite it.
      if (result < 0) throw new SystemError(getSystemErrorName(-read.i32(errno, 0)), `system call ${number}`);
      return result;
    },
  };
}

let opened: Promise<Libc> | undefined;

/** The one handle of the C library, opened when it is first asked for. Rejects where there is no glibc. */
export const openLibc = (): Promise<Libc> => (opened ??= load());
