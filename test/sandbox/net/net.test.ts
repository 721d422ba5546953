import { describe, expect, test } from "bun:test";
import { createNet, type Resolve } from "../../../src/sandbox/net/net.ts";
import { readHostRules } from "../../../src/sandbox/net/host-rules.ts";

interface Options {
  readonly allowedHosts?: readonly string[];
  readonly allowPrivateNetwork?: boolean;
  readonly resolve?: Resolve;
  readonly ownPort?: number;
}

const unasked: Resolve = () => Promise.reject(new Error("no name should be resolved here"));

const aNet = (options: Options = {}) => {
  const { allowedHosts = [], allowPrivateNetwork = false, ownPort, resolve } = options;
  return createNet(
    { allowedHosts, allowPrivateNetwork, ownPort: () => ownPort },
    readHostRules(allowedHosts),
    { ownAddresses: () => ["192.168.7.5", "fe80::1"], ...(resolve && { resolve }) },
  );
};

const find = async (options: Options, host: string, port = 443, signal = new AbortController().signal) =>
  (await aNet(options)).find({ host, port }, signal);

const answering =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve(addresses);

describe("createNet", () => {
  test("finds the addresses of a name once, and those of an address without a resolver", async () => {
    const resolve = answering("93.184.216.34", "2606:2800:220:1::1");
    expect(await find({ resolve }, "example.com")).toEqual({
      host: "example.com",
      port: 443,
      addresses: ["93.184.216.34", "2606:2800:220:1::1"],
    });
    expect((await find({ resolve: unasked }, "8.8.8.8")).addresses).toEqual(["8.8.8.8"]);
    expect((await find({ resolve: unasked }, "[2606:4700::1111]")).addresses).toEqual(["2606:4700::1111"]);
  });

  test.each([
    [["127.0.0.1"]],
    [["93.184.216.34", "10.0.0.1"]],
    [["10.0.0.1", "93.184.216.34"]],
    [["93.184.216.34", "::ffff:169.254.169.254"]],
    [["2606:2800:220:1::1", "fe80::1%eth0"]],
    [["93.184.216.34", "not an address"]],
  ])("refuses a name that leads to %p, however many of them are public", async (addresses) => {
    await expect(find({ resolve: answering(...addresses) }, "example.com")).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  test("refuses localhost as this machine's resolver knows it", async () => {
    await expect(find({}, "localhost", 80)).rejects.toMatchObject({ code: "forbidden" });
    expect((await find({ allowPrivateNetwork: true }, "localhost", 80)).addresses).not.toBeEmpty();
  });

  test("asks no resolver for a name that may not be reached: the question would tell it to others", async () => {
    const options = { allowedHosts: ["example.com"], resolve: unasked };
    await expect(find(options, "secret-word.evil.net")).rejects.toMatchObject({ code: "forbidden" });
  });

  test("wants a name on the list to be public all the same", async () => {
    const options = { allowedHosts: ["example.com"], resolve: answering("10.0.0.1") };
    await expect(find(options, "example.com")).rejects.toMatchObject({ code: "forbidden" });
    expect(await find({ ...options, allowPrivateNetwork: true }, "example.com")).toMatchObject({
      addresses: ["10.0.0.1"],
    });
  });

  test.each(["127.0.0.1", "127.3.2.1", "[::1]", "[::ffff:7f00:1]", "192.168.7.5", "[64:ff9b::c0a8:705]"])(
    "never finds this server itself at %s, whatever is allowed",
    async (host) => {
      const options = { allowPrivateNetwork: true, ownPort: 18789, allowedHosts: [`${host}:18789`, host] };
      const refused = find(options, host, 18789);
      await expect(refused).rejects.toMatchObject({ code: "forbidden" });
      await expect(refused).rejects.toThrow("this server itself");
      expect((await find(options, host, 18790)).port).toBe(18790);
    },
  );

  test("says that a name does not resolve, and tells nothing more", async () => {
    const resolve = () => Promise.reject(new Error("NXDOMAIN"));
    await expect(find({ resolve }, "example.com")).rejects.toMatchObject({ code: "unavailable" });
    await expect(find({ resolve: answering() }, "example.com")).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test("refuses a name with a flood of addresses", async () => {
    const many = Array.from({ length: 33 }, (_, at) => `8.8.8.${at}`);
    await expect(find({ resolve: answering(...many) }, "example.com")).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  test("stops waiting for a resolver that never answers when the call is cancelled", async () => {
    const stop = new AbortController();
    const asked = Promise.withResolvers<void>();
    const resolve: Resolve = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const found = find({ resolve }, "example.com", 443, stop.signal);
    await asked.promise;
    stop.abort();
    await expect(found).rejects.toMatchObject({ code: "cancelled" });
  });

  test("finds nothing for a signal that is over", async () => {
    await expect(
      find({ resolve: answering("8.8.8.8") }, "example.com", 443, AbortSignal.abort()),
    ).rejects.toThrow();
  });
});
