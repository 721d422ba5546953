import type { AnyTool } from "../sandbox/tool.ts";
import { applyPatch } from "./apply-patch.ts";
import { browser } from "./browser.ts";
import { codeExec } from "./code-exec.ts";
import { database } from "./database.ts";
import { delegateAgent } from "./delegate-agent.ts";
import { editFile } from "./edit-file.ts";
import { email } from "./email.ts";
import { git } from "./git.ts";
import { imageGen } from "./image-gen.ts";
import { listFiles } from "./list-files.ts";
import { memorySearch } from "./memory-search.ts";
import { memory } from "./memory.ts";
import { pdfRead } from "./pdf-read.ts";
import { readFile } from "./read-file.ts";
import { projectMemory } from "./project-memory.ts";
import { schedule } from "./schedule.ts";
import { searchFiles } from "./search-files.ts";
import { sessionsTool } from "./sessions.ts";
import { shell } from "./shell.ts";
import { time } from "./time.ts";
import { webFetch } from "./web-fetch.ts";
import { webSearch } from "./web-search.ts";
import { writeFile } from "./write-file.ts";

/** Every tool there is; which of them a model sees is decided by what is granted. */
export const tools: readonly AnyTool[] = [
  readFile,
  writeFile,
  editFile,
  applyPatch,
  listFiles,
  searchFiles,
  time,
  memory,
  memorySearch,
  shell,
  codeExec,
  git,
  email,
  imageGen,
  projectMemory,
  sessionsTool,
  schedule,
  pdfRead,
  database,
  webFetch,
  webSearch,
  browser,
  delegateAgent,
];
