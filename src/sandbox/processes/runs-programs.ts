/** The settings that let tools start programs of the host. */
export interface ProgramGrants {
  readonly allowShell: boolean;
  readonly allowCode: readonly string[];
  readonly allowGit: boolean;
  readonly allowBrowser: boolean;
  readonly allowDatabase: boolean;
}

/** Whether anything that is granted starts programs, so that the host is worth trying out. */
export const runsPrograms = ({
  allowShell,
  allowCode,
  allowGit,
  allowBrowser,
  allowDatabase,
}: ProgramGrants): boolean =>
  allowShell ||
  allowGit ||
  allowBrowser ||
  allowDatabase ||
  allowCode.some((language) => language !== "javascript");
