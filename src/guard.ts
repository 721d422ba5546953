/** The folder that this process was started in; `/` when it is gone. */
export const startFolder = whereStarted();

// The one thing that happens on import, and before any other: whatever still looks something up in the current folder
// must not find what an agent may have written there. Relative settings resolve against `startFolder`.
process.chdir("/");

function whereStarted() {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}
