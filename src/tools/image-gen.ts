import * as v from "valibot";
import { AppError } from "../errors.ts";
import type { CanWrite } from "../sandbox/can-files.ts";
import { sizeText } from "../sandbox/files/file-kind.ts";
import { defineTool } from "../sandbox/tool.ts";

const mostNames = 1000;

/** Puts a picture under the first name of its day that is free, where it may be written: it is made and paid by now. */
async function keep(write: CanWrite, bytes: Uint8Array, day: string, ending: string): Promise<string> {
  for (let n = 1; n <= mostNames; n += 1) {
    const file = `image-${day}-${n}.${ending}`;
    const name = write.home === "." ? file : `${write.home}/${file}`;
    try {
      await write.bytes(name, bytes);
      return name;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "conflict") throw error;
    }
  }
  throw new AppError("conflict", `There are already ${mostNames} pictures of ${day}: move some elsewhere.`);
}

export const imageGen = defineTool({
  name: "image_gen",
  description:
    "Draw a picture from a description and keep it as a file, in the workspace where that may be written.",
  needs: ["images", "write", "time"],
  effect: () => "reaches_out",
  // Good pictures take providers up to two minutes.
  timeoutMs: 180_000,
  input: v.object({
    prompt: v.pipe(v.string(), v.nonEmpty(), v.maxLength(32_000), v.description("What to draw.")),
    size: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^(?:auto|\d{2,4}x\d{2,4})$/, "Expected a size such as 1024x1024, or auto"),
        v.description("Width and height, such as 1024x1024; the provider's choice when left out."),
      ),
    ),
    quality: v.optional(
      v.pipe(
        v.picklist(["auto", "low", "medium", "high", "standard", "hd"]),
        v.description("The provider's choice when left out."),
      ),
    ),
  }),
  async run({ prompt, size, quality }, can) {
    const { bytes, type } = await can.images.generate({ prompt, size, quality });
    const day = new Date(can.time.now()).toISOString().slice(0, 10);
    const name = await keep(can.write, bytes, day, type === "jpeg" ? "jpg" : type);
    return `Drawn: ${name} (${type}, ${sizeText(bytes.length)}).`;
  },
});
