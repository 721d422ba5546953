import { AppError } from "../errors.ts";
import { parseJson } from "./foreign-json.ts";

/** Characters that one event may hold; a provider that sends more is broken or means harm. */
const maxEventChars = 8 * 1024 * 1024;

/** Takes the bytes of an answer as they come and gives back the payloads that became whole. */
export interface PayloadDecoder {
  push(bytes: Uint8Array): string[];
  /** After the last byte: an event that no blank line closed, unless it is cut. */
  end(): string[];
}

/**
 * Decodes server-sent events: the payload of an event is its `data` lines joined by line feeds. An answer that begins
 * with `{` or `[` is no event stream: all of it is one payload. Throws `provider_error` when an event grows too large.
 */
export function createPayloadDecoder(): PayloadDecoder {
  const utf8 = new TextDecoder();
  let kind: "unknown" | "events" | "plain" = "unknown";
  let line = "";
  let data: string | undefined;
  let afterReturn = false;
  let payloads: string[] = [];

  function endLine() {
    if (line === "") {
      if (data !== undefined) payloads.push(data);
      data = undefined;
    } else if (line.startsWith("data:") || line === "data") {
      const value = line.slice(line[5] === " " ? 6 : 5);
      data = data === undefined ? value : `${data}\n${value}`;
    }
    line = "";
  }

  function keep(text: string) {
    // Appending does not copy, so a line in a thousand pieces costs as much as one in a single piece.
    line += text;
    if (line.length + (data?.length ?? 0) > maxEventChars) {
      throw new AppError(
        "provider_error",
        `The provider sent one event of more than ${maxEventChars} characters.`,
      );
    }
  }

  function readLines(text: string) {
    let at = 0;
    if (afterReturn && text !== "") {
      if (text[0] === "\n") at = 1;
      afterReturn = false;
    }
    let feed = text.indexOf("\n", at);
    let carriage = text.indexOf("\r", at);
    while (feed !== -1 || carriage !== -1) {
      const byReturn = carriage !== -1 && (feed === -1 || carriage < feed);
      const end = byReturn ? carriage : feed;
      keep(text.slice(at, end));
      endLine();
      at = end + 1;
      if (byReturn && at === text.length) afterReturn = true;
      if (byReturn && at === feed) at++;
      if (feed !== -1 && feed < at) feed = text.indexOf("\n", at);
      if (carriage !== -1 && carriage < at) carriage = text.indexOf("\r", at);
    }
    keep(text.slice(at));
  }

  function read(text: string) {
    if (kind === "unknown") {
      const start = text.trimStart();
      if (start !== "") kind = start[0] === "{" || start[0] === "[" ? "plain" : "events";
    }
    if (kind === "plain") keep(text);
    else readLines(text);
  }

  function take() {
    const taken = payloads;
    if (taken.length > 0) payloads = [];
    return taken;
  }

  return {
    push(bytes) {
      read(utf8.decode(bytes, { stream: true }));
      return take();
    },
    end() {
      read(utf8.decode());
      if (kind === "plain") {
        payloads.push(line);
        line = "";
      } else {
        endLine();
        endLine();
        payloads = payloads.filter((payload) => payload === "[DONE]" || parseJson(payload) !== undefined);
      }
      return take();
    },
  };
}
