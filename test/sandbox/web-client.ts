import { aWeb } from "./a-web.ts";

// A program of its own, because what it is about is read from the environment when a process starts: the certificates
// that are trusted, and proxies. Fetches each address and says how that ended.
const resolve = async () => ["127.0.0.1"];
const web = aWeb({ resolve });
for (const url of process.argv.slice(2)) {
  const said = await web
    .can()
    .get(url, { maxBytes: 1000 })
    .then(
      ({ bytes }) => new TextDecoder().decode(bytes),
      (error: Error) => error.message,
    );
  console.log(said);
}
await web.close();
