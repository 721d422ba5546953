import { join } from "node:path";

/** A real git server on loopback over HTTP (`git http-backend`) for the bare repositories of a folder. */
export function aGitServer(folder: string) {
  const asked: string[] = [];
  const backend = join(Bun.spawnSync(["git", "--exec-path"]).stdout.toString().trim(), "git-http-backend");
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      asked.push(`${request.method} ${pathname}`);
      if (pathname.startsWith("/away/")) return Response.redirect(`http://169.254.169.254${pathname}`, 302);
      const body = new Uint8Array(await request.arrayBuffer());
      const gzip = request.headers.get("content-encoding");
      const child = Bun.spawn([backend], {
        stdin: body,
        env: {
          PATH: process.env["PATH"] ?? "",
          GIT_PROJECT_ROOT: folder,
          GIT_HTTP_EXPORT_ALL: "1",
          GIT_CONFIG_COUNT: "1",
          GIT_CONFIG_KEY_0: "http.receivepack",
          GIT_CONFIG_VALUE_0: "true",
          PATH_INFO: pathname,
          QUERY_STRING: search.slice(1),
          REQUEST_METHOD: request.method,
          CONTENT_TYPE: request.headers.get("content-type") ?? "",
          CONTENT_LENGTH: String(body.length),
          ...(gzip !== null && { HTTP_CONTENT_ENCODING: gzip }),
          GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
        },
      });
      const answer = Buffer.from(await new Response(child.stdout).arrayBuffer());
      const end = answer.indexOf("\r\n\r\n");
      const headers = new Headers();
      let status = 200;
      for (const line of answer.subarray(0, end).toString("latin1").split("\r\n")) {
        const [name = "", value = ""] = line.split(/: (.*)/s);
        if (name === "Status") status = Number.parseInt(value, 10);
        else if (name !== "") headers.set(name, value);
      }
      return new Response(answer.subarray(end + 4), { status, headers });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, asked, stop: () => server.stop(true) };
}
