import { constants } from "node:os";
import { type FilterOptions, forbiddenCalls, type Rule, type Test } from "./forbidden-calls.ts";
import { type Architecture, callNumber, kernel, ownArchitecture } from "./system-calls.ts";

/** One instruction of the kernel's filter language (`struct sock_filter`): code, steps to jump if true and if false, value. */
type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, value: number];

const auditArchitecture: Readonly<Record<Architecture, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };
const killProcess = 0x8000_0000;
const allow = 0x7fff_0000;
const fail = (error: number) => (0x0005_0000 | error) >>> 0;
/** Set in the numbers of the x32 calls, a second table beside the one that the rules are about. */
const x32 = 0x4000_0000;
/** The first number that no kernel had when this was written. */
const firstUnknown = 470;
const setModeFilter = 1;

/** Offsets in `struct seccomp_data`; both architectures are little endian. */
const at = { number: 0, architecture: 4, argument: (index: number, half = 0) => 16 + 8 * index + 4 * half };

const load = (offset: number): Instruction => [0x20, 0, 0, offset];
const and = (mask: number): Instruction => [0x54, 0, 0, mask];
const ifEqual = (value: number, whenTrue: number, whenFalse: number): Instruction => [
  0x15,
  whenTrue,
  whenFalse,
  value,
];
const ifAtLeast = (value: number, whenTrue: number, whenFalse: number): Instruction => [
  0x35,
  whenTrue,
  whenFalse,
  value,
];
const ifSet = (value: number, whenTrue: number, whenFalse: number): Instruction => [
  0x45,
  whenTrue,
  whenFalse,
  value,
];
const answer = (value: number): Instruction => [0x06, 0, 0, value];

/** Goes on with the next instruction when the test holds, else skips `rest` more than its own. */
function testing({ argument, half, mask, equals, not }: Test, rest: number): Instruction[] {
  const values = typeof equals === "number" ? [equals] : equals;
  const compare = values.map((value, index) => {
    const left = values.length - 1 - index;
    if (not) return ifEqual(value >>> 0, left + rest, 0);
    return left === 0 ? ifEqual(value >>> 0, 0, rest) : ifEqual(value >>> 0, left, 0);
  });
  const value = load(at.argument(argument, half));
  return mask === undefined ? [value, ...compare] : [value, and(mask), ...compare];
}

/** The instructions of one rule; they end behind the last one when it does not apply. */
function applying({ when, error }: Rule, number: number): Instruction[] {
  let body: Instruction[] = [answer(fail(error))];
  for (const test of when.toReversed()) body = [...testing(test, body.length), ...body];
  return when.length === 0
    ? [ifEqual(number, 0, 1), ...body]
    : [load(at.number), ifEqual(number, 0, body.length), ...body];
}

/** The program that the kernel runs at each system call, for `architecture`. */
export function filterProgram(options: FilterOptions, architecture: Architecture): readonly Instruction[] {
  const rules = forbiddenCalls(options).flatMap((rule) => {
    const number = callNumber(rule.call, architecture);
    return number === undefined ? [] : [{ rule, number }];
  });
  const plain = rules.filter(({ rule }) => rule.when.length === 0);
  const tested = rules.filter(({ rule }) => rule.when.length > 0);
  return [
    load(at.architecture),
    ifEqual(auditArchitecture[architecture], 1, 0),
    answer(killProcess),
    load(at.number),
    ...(architecture === "x64" ? [ifSet(x32, 0, 1), answer(killProcess)] : []),
    ifAtLeast(firstUnknown, 0, 1),
    answer(fail(constants.errno.ENOSYS)),
    // The plain ones first: they need the number alone, which is loaded.
    ...[...plain, ...tested].flatMap(({ rule, number }) => applying(rule, number)),
    answer(allow),
  ];
}

/** Filters the system calls of this thread, and of all that it becomes and starts, for good. Needs `no_new_privs`. */
export function filterCalls(options: FilterOptions) {
  const program = filterProgram(options, ownArchitecture());
  const code = Buffer.alloc(program.length * 8);
  for (const [index, [operation, whenTrue, whenFalse, value]] of program.entries()) {
    code.writeUInt16LE(operation, index * 8);
    code.writeUInt8(whenTrue, index * 8 + 2);
    code.writeUInt8(whenFalse, index * 8 + 3);
    code.writeUInt32LE(value, index * 8 + 4);
  }
  // `struct sock_fprog`: a count, and the address of the instructions.
  const filter = new BigUint64Array([BigInt(program.length), kernel().addressOf(code)]);
  kernel().call("seccomp", setModeFilter, 0, filter);
}
