import * as v from "valibot";
import { AppError } from "../../errors.ts";
import { parseShallow } from "../../llm/nesting.ts";
import { readBytes } from "../../llm/read-bytes.ts";
import type { CanDrawImages } from "../capabilities.ts";
import { imageKind } from "./image-kind.ts";
import type { Lend } from "../sandbox.ts";

export interface ImageSettings {
  readonly allowImageGen: boolean;
  readonly imageModel: string;
  readonly imageEndpoint: string | undefined;
  readonly imageKey: string | undefined;
}

export interface ImageProvider {
  readonly endpoint: string | undefined;
  readonly key: string | undefined;
}

const largestImage = 20 * 1024 * 1024;
/** In base64, with room for the JSON around it. */
const largestAnswer = Math.ceil(largestImage / 3) * 4 + 65_536;
const longestReason = 500;

// Of the OpenAI API: `POST /images/generations` and its errors.
const Answer = v.object({
  data: v.pipe(
    v.array(v.object({ b64_json: v.nullish(v.string()), url: v.nullish(v.string()) })),
    v.minLength(1),
  ),
});
const Failure = v.object({ error: v.union([v.string(), v.object({ message: v.string() })]) });

const failed = (why: string, cause?: unknown) =>
  new AppError("provider_error", `The picture could not be made: ${why}.`, { cause });

/** What the provider said, without the key that some repeat. */
function reasonOf(status: number, body: string, key: string | undefined): string {
  const parsed = v.safeParse(Failure, parseShallow(body));
  const { error } = parsed.success ? parsed.output : { error: "" };
  const said = typeof error === "string" ? error : error.message;
  const bare = key === undefined ? said : said.replaceAll(key, "…");
  // A provider that shows a part of the key, shows it from its beginning.
  const masked = bare
    .replaceAll(/\b(?:sk|key)-[\w*-]{4,}/g, "…")
    .slice(0, longestReason)
    .trim();
  return masked === "" ? `the provider answered ${status}` : `the provider answered ${status}: ${masked}`;
}

function readImage(bytes: Uint8Array): Awaited<ReturnType<CanDrawImages["generate"]>> {
  const parsed = v.safeParse(Answer, parseShallow(new TextDecoder().decode(bytes)));
  const first = parsed.success ? parsed.output.data[0] : undefined;
  if (first === undefined) throw failed("the provider's answer is no answer of the images API");
  if (!first.b64_json)
    throw failed("the provider sent an address instead of the picture, which is not followed");
  const image = Buffer.from(first.b64_json, "base64");
  if (image.length > largestImage) throw failed("it has more than 20 MB");
  const type = imageKind(image);
  if (type === undefined) throw failed("what the provider sent is no PNG, JPEG or WebP");
  return { bytes: image, type };
}

async function generate(
  target: { readonly url: string; readonly key: string | undefined },
  body: object,
  signal: AbortSignal,
): Promise<ReturnType<typeof readImage>> {
  const { url, key } = target;
  let response: Response;
  let bytes: Uint8Array;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify(body),
      // The key is meant for this address alone.
      redirect: "manual",
      signal,
    });
    bytes = await readBytes(response, largestAnswer + 1);
  } catch (error) {
    signal.throwIfAborted();
    throw failed("the provider could not be reached, or broke off", error);
  }
  if (!response.ok)
    throw failed(reasonOf(response.status, new TextDecoder().decode(bytes.subarray(0, 65_536)), key));
  if (bytes.length > largestAnswer) throw failed("the provider's answer is too big");
  return readImage(bytes);
}

/** Where pictures are asked for. The model provider's key goes to the model provider's own host only. */
function targetOf({ imageEndpoint, imageKey }: ImageSettings, provider: ImageProvider) {
  const endpoint = imageEndpoint ?? provider.endpoint;
  if (endpoint === undefined || endpoint === "") return undefined;
  const originOf = (url: string | undefined) => (url && URL.canParse(url) ? new URL(url).origin : undefined);
  const isOwn = originOf(endpoint) === originOf(provider.endpoint);
  return {
    url: `${endpoint.replace(/\/+$/, "")}/images/generations`,
    // Read when it is used: it can be replaced while the server runs.
    get key() {
      return imageKey ?? (isOwn ? provider.key : undefined);
    },
  };
}

/** What drawing may be lent: nothing unless it is allowed and there is somebody to ask. */
export function lendImages(
  settings: ImageSettings,
  provider: ImageProvider,
): { lend: Pick<Lend, "images">; warnings: readonly string[] } {
  if (!settings.allowImageGen) return { lend: {}, warnings: [] };
  const target = targetOf(settings, provider);
  if (target === undefined) {
    const why = "image_gen is off: set OPENCLAW_IMAGE_ENDPOINT to an OpenAI-compatible images endpoint.";
    return { lend: {}, warnings: [why] };
  }
  const model = settings.imageModel;
  // Those of this name always send the picture itself, and refuse to be asked for it.
  const format = /^(?:chat)?gpt-image/.test(model) ? {} : { response_format: "b64_json" };
  const images = (signal: AbortSignal): CanDrawImages => ({
    generate: ({ prompt, size, quality }) =>
      generate(target, { model, prompt, n: 1, ...format, size, quality }, signal),
  });
  return { lend: { images: (_caller, signal) => images(signal) }, warnings: [] };
}
