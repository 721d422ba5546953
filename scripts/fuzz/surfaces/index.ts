import type { Surface } from "../surface.ts";
import { cron } from "./cron.ts";
import { frames } from "./frames.ts";
import { http } from "./http.ts";
import { operations } from "./operations.ts";
import { pdfs } from "./pdfs.ts";
import { settings } from "./settings.ts";
import { sse } from "./sse.ts";
import { webhooks } from "./webhooks.ts";

/** Every way in that is fuzzed. */
export const surfaces: readonly Surface[] = [frames, http, operations, sse, webhooks, cron, pdfs, settings];
