import { AppError } from "../../errors.ts";
import { type HostAndPort, plainHost } from "./host-rules.ts";
import { shown } from "../paths.ts";

const longestUrl = 8192;

const refuse = (text: string, why: string) =>
  new AppError("bad_request", `Cannot fetch ${shown(text.slice(0, 200))}: ${why}.`);

/** Reads an address that a model or a redirect wrote; only `http` and `https` without credentials come through. */
export function readWebUrl(text: string, base?: URL): URL {
  if (text.length > longestUrl) throw refuse(text, `it is longer than ${longestUrl} characters`);
  const url = URL.parse(text.trim(), base);
  if (url === null) throw refuse(text, "it is no address; give it whole, such as https://example.com/page");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    const code = base === undefined ? "bad_request" : "forbidden";
    throw new AppError(
      code,
      `Cannot fetch ${shown(text.slice(0, 200))}: only http and https addresses are fetched.`,
    );
  }
  if (url.username !== "" || url.password !== "") throw refuse(text, "it holds a user name or a password");
  if (url.hostname === "") throw refuse(text, "it names no host");
  url.hash = "";
  return url;
}

/** Host and port that a URL of the web leads to. */
export const destinationOf = (url: URL): HostAndPort => ({
  host: plainHost(url.hostname),
  port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
});
