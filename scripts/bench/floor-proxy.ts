/** The second floor: passes a chat completion on by `fetch`, as it is. */
const upstream = `${process.env.MODEL}/chat/completions`;
Bun.serve({
  port: Number(process.env.PORT),
  hostname: "127.0.0.1",
  idleTimeout: 0,
  routes: { "/health": () => Response.json({ status: "ok" }) },
  async fetch(request) {
    const answer = await fetch(upstream, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: await request.text(),
    });
    return new Response(answer.body, { headers: { "content-type": "text/event-stream" } });
  },
});
console.log("listening");
