import { lstatSync, renameSync, type Stats, unlinkSync } from "node:fs";
import { AppError } from "../../errors.ts";
import { openPath, pathOf } from "../../linux/open-beneath.ts";
import type { FileChange } from "../can-files.ts";
import { sandboxLog as log } from "../../telemetry/log.ts";
import { explain, inspect, type Opened } from "./opened.ts";
import { readWhole } from "./read-files.ts";
import { draftName, replace, replaceable } from "./replace-file.ts";

/** Opens the folder of a path, lets nobody of ours write to that path meanwhile, and acts. */
export type WithFolder = <T>(
  path: string,
  make: boolean,
  act: (folder: Opened, file: string, name: string) => Promise<T>,
) => Promise<T>;

export interface AllOptions {
  /** Each of another path. */
  readonly changes: readonly FileChange[];
  readonly withFolder: WithFolder;
  /** Real paths of folders that are never opened. */
  readonly never: readonly string[];
  readonly signal: AbortSignal;
}

/** A change with its opened folder, which stays where it is until all is done. */
interface Held {
  readonly change: FileChange;
  readonly folder: Opened;
  readonly file: string;
  readonly name: string;
}

/** A step that was taken: how to take it back, and what is left to do once all are taken. Both may throw. */
interface Step {
  undo(): Promise<void> | void;
  finish?(): void;
}

/** What the file is now, if there is to be one. */
async function requireUnchanged(
  { change, folder, file, name }: Held,
  options: AllOptions,
): Promise<Stats | undefined> {
  const target = pathOf(folder.fd, file);
  const { from } = change;
  if (from === undefined) {
    if (lstatSync(target, { throwIfNoEntry: false }) === undefined) return undefined;
    throw new AppError("conflict", `Cannot make ${name}: there is something of that name already.`);
  }
  replaceable(target, name);
  const expected = Buffer.from(from);
  using opened = inspect(openPath(target), name, options.never);
  if (opened.stat.size === expected.length) {
    if (expected.equals(await readWhole(opened, name, expected.length, options.signal))) return opened.stat;
  }
  throw new AppError("conflict", `Cannot change ${name}: it was changed a moment ago. Read it again.`);
}

/** `like` has the rights that a new file gets, if not the usual ones. */
async function take(
  { change, folder, file, name }: Held,
  signal: AbortSignal,
  like: Stats | undefined,
): Promise<Step> {
  const target = pathOf(folder.fd, file);
  const { from, to } = change;
  const put = async (text: string, until: AbortSignal) => {
    await replace(folder, file, name, Buffer.from(text), until, like);
  };
  if (to === undefined) {
    const aside = pathOf(folder.fd, draftName());
    signal.throwIfAborted();
    renameSync(target, aside);
    return { undo: () => renameSync(aside, target), finish: () => unlinkSync(aside) };
  }
  await put(to, signal);
  if (from === undefined) return { undo: () => unlinkSync(target) };
  // Not until the call's signal: a cancelled call must be taken back all the same.
  return { undo: () => put(from, new AbortController().signal) };
}

async function takeBack(steps: readonly { step: Step; name: string }[], cause: unknown): Promise<unknown> {
  const left: string[] = [];
  for (const { step, name } of steps.toReversed()) {
    try {
      await step.undo();
    } catch {
      left.push(name);
    }
  }
  if (left.length === 0) return cause;
  const why = cause instanceof Error ? cause.message : "A file could not be written.";
  return new AppError("unavailable", `${why} These files could not be put back: ${left.join(", ")}.`, {
    cause,
  });
}

async function takeAll(held: readonly Held[], options: AllOptions) {
  const steps: { step: Step; name: string }[] = [];
  const found = new Map<string, Stats | undefined>();
  try {
    for (const one of held)
      found.set(one.change.path, await explained(one, () => requireUnchanged(one, options)));
    for (const one of held) {
      // Once more: two names may lead to one file through a link.
      await explained(one, () => requireUnchanged(one, options));
      const like = found.get(one.change.movedFrom ?? "");
      steps.push({ step: await explained(one, () => take(one, options.signal, like)), name: one.name });
    }
  } catch (error) {
    throw await takeBack(steps, error);
  }
  for (const { step } of steps) {
    try {
      step.finish?.();
    } catch (error) {
      // All is done; a draft that stays is litter, no failure.
      log.warn("A deleted file's draft could not be removed.", { error });
    }
  }
}

async function explained<T>({ name }: Held, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw explain(error, "write", name);
  }
}

/** Changes all files or none: all are held and looked at before the first is written, and put back when a later one fails. */
export async function changeAll(options: AllOptions, held: readonly Held[] = []): Promise<void> {
  const change = options.changes[held.length];
  if (change === undefined) return takeAll(held, options);
  await options.withFolder(change.path, change.from === undefined, (folder, file, name) =>
    changeAll(options, [...held, { change, folder, file, name }]),
  );
}
