/** The first floor: a bare server that answers `/health`. */
if (process.argv.includes("--version")) {
  console.log("1");
  process.exit(0);
}
Bun.serve({
  port: Number(process.env.PORT),
  hostname: "127.0.0.1",
  fetch: () => Response.json({ status: "ok" }),
});
console.log("listening");
