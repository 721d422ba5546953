import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { childrenOf, stateOf } from "../../../src/linux/marked.ts";
import { sandboxed, stranger } from "../sandboxed.ts";

const isRoot = process.getuid?.() === 0;

/** Without namespaces and with them; as root also as another user. */
const ways = [
  { name: "without namespaces", options: { namespaces: false } },
  { name: "with namespaces", options: {} },
  ...(isRoot ? [{ name: "as another user", options: { namespaces: false, owner: stranger } }] : []),
];

// Some tests are many calls.
setDefaultTimeout(60_000);

/** In hundredths of a second since the machine did; undefined when it is gone. */
const startOf = (pid: number): number | undefined => {
  try {
    // The name in parentheses may hold anything; the start is the 20th word behind it.
    return Number(readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[19]);
  } catch {
    return undefined;
  }
};
const begun = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) * 100;
/** Ended children that nobody collected. What other test files of this process began, and ends only now, is not ours to judge. */
const orphans = () =>
  childrenOf(process.pid).filter((pid) => (startOf(pid) ?? 0) >= begun && stateOf(pid)?.ended === true);
/** A word that nobody else has among his arguments, also where two of these run side by side: seconds to sleep. */
const unique = (seconds: number) => `${seconds}.${process.pid}`;
/** Whether a process with this word among its arguments runs anywhere. */
const runs = (word: string) =>
  readdirSync("/proc").some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes(word);
    } catch {
      return false;
    }
  });

describe.each(ways)("createPrograms $name", ({ options }) => {
  test("runs a program with a clean environment and only its descriptors", async () => {
    await using box = await sandboxed(options);
    process.env["OPENCLAW_TEST_SECRET"] = "s3cret";
    const end = await box.sh(
      "env; ls /proc/self/fd 2>/dev/null | wc -l; id -u; cat /proc/self/status | grep NoNew",
    );
    delete process.env["OPENCLAW_TEST_SECRET"];
    const names = end.output.split("\n").flatMap((line) => /^([A-Za-z_]+)=/.exec(line)?.[1] ?? []);
    expect(names.toSorted()).toEqual(["HOME", "LANG", "PATH", "PWD", "TMPDIR"]);
    expect(end.output).not.toContain("s3cret");
  });

  test("lets a program change the granted folder, and its own one, which goes with the call", async () => {
    await using box = await sandboxed(options);
    const end = await box.sh(
      "echo made > file && mkdir d && mv file d/ && echo x > $HOME/own && cat d/file $TMPDIR/own",
    );
    expect(end).toEqual({ exitCode: 0, output: "made\nx\n", cutBytes: 0 });
    expect(readFileSync(join(box.workspace, "d/file"), "utf8")).toBe("made\n");
    const home = (await box.sh("mkdir -p $HOME/a/b && chmod 0 $HOME/a && echo $HOME")).output.trim();
    expect(existsSync(home)).toBe(false);
  });

  test("refuses what lies outside: files, links to them, the machine's secrets, other processes", async () => {
    await using box = await sandboxed(options);
    symlinkSync(box.canary, join(box.workspace, "link"));
    const lines = [
      `cat ${box.canary}`,
      "cat link",
      "cat ../outside/canary",
      `ln ${box.canary} hard && cat hard`,
      `cp ${box.canary} copy`,
      `echo broken > ${box.canary}`,
      "echo broken > link",
      `echo broken >> ${box.canary}`,
      `rm -f ${box.canary}; test ! -e ${box.canary}`,
      `mv ${box.canary} stolen`,
      `mv $(dirname ${box.canary}) stolen`,
      `touch $(dirname ${box.canary})/new`,
      `truncate -s 0 ${box.canary}`,
      `dd if=/dev/null of=${box.canary}`,
      "ls /root || ls /home",
      "cat /etc/shadow",
      "cat /proc/1/environ | grep .",
      `cat /proc/${process.pid}/environ | grep .`,
      `cat /proc/${process.pid}/mem | head -c 1 | grep .`,
      `ls -l /proc/${process.pid}/fd/ | grep .`,
      "cat /proc/self/root/etc/shadow",
      "ls /sys/kernel",
      "cat /dev/sda || cat /dev/vda || cat /dev/mem",
      "mknod dev b 8 0 && cat dev",
      `kill -9 ${process.pid}`,
      `kill -STOP ${process.pid}`,
      "chroot . true",
      "mount -t tmpfs none .",
      "unshare -r true",
      "cp /bin/sh s && chmod 4755 s",
      "cp /bin/sh s && chmod 2755 s",
    ];
    for (const line of lines) {
      const end = await box.sh(line);
      expect([line, end.exitCode === 0]).toEqual([line, false]);
      expect([line, end.output.includes("CANARY")]).toEqual([line, false]);
    }
    expect(readFileSync(box.canary, "utf8")).toBe("CANARY");
  });

  test("makes no socket, and no network is reached", async () => {
    await using box = await sandboxed(options);
    using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("reached") });
    const end = await box.run(["perl", "-e", perlSockets(server.port ?? 0)]);
    expect(end.output.trim().split("\n")).toEqual([
      ...[
        "inet stream: no",
        "inet dgram: no",
        "inet6 stream: no",
        "unix: no",
        "netlink: no",
        "packet: no",
        "pair: yes",
      ],
    ]);
  });

  test("reaches the proxy's port alone when it is granted", async () => {
    await using box = await sandboxed(options);
    using proxy = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("proxy") });
    using other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("other") });
    const port = proxy.port ?? 0;
    const url = `http://u:p@127.0.0.1:${port}`;
    const end = await box.run(["perl", "-e", perlConnects([port, other.port ?? 0])], {
      proxy: { url, port },
    });
    expect(end.output.trim().split("\n")).toEqual([
      "yes",
      "no",
      "fast open: no",
      "mptcp: no",
      "dgram: no",
      "listen: no",
      url,
    ]);
  });

  test("ends what outlives a call: background, new sessions, double forks, chains of forks", async () => {
    await using box = await sandboxed(options);
    const seconds = unique(70_000);
    const line = `sleep ${seconds} & setsid sleep ${seconds} & (setsid sh -c "setsid sleep ${seconds} & sleep ${seconds} &" &); trap "" TERM HUP; echo started`;
    expect((await box.sh(line)).output).toBe("started\n");
    const chain = `use POSIX; if (!fork) { while (1) { my $p = fork; exit if $p; POSIX::setsid() } } `;
    // Room for all whom nobody collects while this process is held up: the chain is one process that others have left.
    await using roomy = await sandboxed({ ...options, settings: { processCount: 16_000 } });
    expect(await roomy.run(["perl", "-e", chain])).toMatchObject({ exitCode: 0 });
    expect(runs(seconds)).toBe(false);
    expect(orphans()).toEqual([]);
  });

  test("ends everything when the call is cancelled or its time is over", async () => {
    await using box = await sandboxed(options);
    const seconds = unique(71_000);
    const line = `setsid sleep ${seconds} & sleep ${seconds}`;
    await expect(box.sh(line, {}, { signal: AbortSignal.timeout(150) })).rejects.toThrow();
    const stop = new AbortController();
    const calls = [`echo go; ${line}`, line].map((each) =>
      box.sh(each, {}, { signal: stop.signal, onOutput: () => stop.abort(new Error("enough")) }),
    );
    const ends = await Promise.allSettled(calls);
    expect(ends.map((end) => end.status === "rejected" && String(end.reason))).toEqual([
      "Error: enough",
      "Error: enough",
    ]);
    // Also while the folder of the call is still being made.
    const early = new AbortController();
    const begins = box.sh(line, {}, { signal: early.signal });
    early.abort(new Error("at once"));
    await expect(begins).rejects.toThrow("at once");
    const closed = box.sh(line);
    await box.programs.close();
    await expect(closed).rejects.toThrow("The server stops.");
    expect(runs(seconds)).toBe(false);
    expect(orphans()).toEqual([]);
  });

  test("ends a call that holds too much memory, has too many processes or writes too large a file", async () => {
    await using box = await sandboxed(options);
    const eats = await box.run(["perl", "-e", 'my @a; push @a, "x" x 8_000_000 for 1..100; sleep 9']);
    expect(eats.limit).toBe("memory");
    const many = await box.run([
      "perl",
      "-e",
      "for (1..100) { my $p = fork; if (defined $p && !$p) { sleep 9; exit } } sleep 9",
    ]);
    expect(many.limit).toBe("processes");
    const long = await box.sh("head -c 40000000 /dev/zero > big; wc -c < big");
    expect(long.output).toContain(String(16 * 1024 * 1024));
    expect(orphans()).toEqual([]);
  });

  test("counts what left its parents and its session, too", async () => {
    await using box = await sandboxed({ ...options, settings: { processMemoryBytes: 64 * 1024 * 1024 } });
    // 320 MB at most, whatever holds or does not.
    const eats = `'my @a; push @a, "x" x 8_000_000 for 1..40; sleep 9'`;
    expect((await box.sh(`(setsid perl -e ${eats} &); sleep 9`)).limit).toBe("memory");
    expect(orphans()).toEqual([]);
  });

  test("keeps the head and the tail of a flood, describes binary output, and closes the input", async () => {
    await using box = await sandboxed(options);
    const heard: string[] = [];
    const flood = await box.sh(
      "echo first; yes | head -c 50000000; echo last",
      {},
      {
        maxOutputBytes: 10_000,
        onOutput: (text) => heard.push(text),
      },
    );
    expect(flood.output).toStartWith("first\ny\n");
    expect(flood.output).toEndWith("y\nlast\n");
    expect(flood.output.length).toBeLessThan(10_200);
    expect(flood.cutBytes).toBeGreaterThan(49_000_000);
    expect(heard.join("").length).toBeLessThanOrEqual(10_000);
    expect((await box.sh("head -c 5000 /bin/sh")).output).toMatch(
      /^\[stdout is an ELF executable: 5\.0 kB, not shown\]$/,
    );
    const anew = await box.sh(
      "echo a > /dev/stdout; echo b > /dev/stderr; echo c | tee /dev/stderr > /dev/null",
    );
    expect(anew.output.split("\n").toSorted()).toEqual(["", "a", "b", "c"]);
    expect(await box.run(["cat"])).toEqual({ exitCode: 0, output: "", cutBytes: 0 });
  });

  test("joins stages without a shell, and feeds the first one", async () => {
    await using box = await sandboxed(options);
    const stages = [
      ["yes", "$(id) ; *"],
      ["head", "-2"],
      ["nl", "-w1"],
    ];
    expect((await box.run([], { stages })).output).toBe("1\t$(id) ; *\n2\t$(id) ; *\n");
    const input = Buffer.from("b\na\n");
    expect((await box.run([], { stages: [["sort"], ["tr", "a", "c"]], input })).output).toBe("c\nb\n");
  });

  test("says what a shell would say of a program that is not there or is none", async () => {
    await using box = await sandboxed(options);
    writeFileSync(join(box.workspace, "text"), "no program");
    expect(await box.run(["nonesuch"])).toEqual({
      exitCode: 127,
      output: "openclaw: nonesuch: not found\n",
      cutBytes: 0,
    });
    expect((await box.run([`${box.workspace}/text`])).exitCode).toBe(126);
    expect(await box.programs.find("sh")).toMatch(/^\/usr\/bin\/|^\/bin\//);
    expect(await box.programs.find("nonesuch")).toBeUndefined();
    expect(await box.programs.find("../bin/sh")).toBeUndefined();
  });

  test("leaves a call its processes, however many other calls have", async () => {
    await using box = await sandboxed(options);
    const forty = "for n in $(seq 40); do sleep 60 & done; echo all";
    const until = (file: string) => `until test -e ${file}; do sleep 0.05; done`;
    /** Resolves to the call itself once it has said something, or ended. */
    const speaks = async (line: string) => {
      const spoken = Promise.withResolvers<void>();
      const call = box.sh(line, {}, { onOutput: () => spoken.resolve() });
      await Promise.race([spoken.promise, call]);
      return { end: call };
    };
    const first = await speaks(`echo here; ${until("go")}; ${forty}`);
    const others = await Promise.all([1, 2].map(() => speaks(`${forty}; ${until("over")}`)));
    writeFileSync(join(box.workspace, "go"), "");
    const { output } = await first.end;
    writeFileSync(join(box.workspace, "over"), "");
    const ends = await Promise.all(others.map(({ end }) => end));
    // Each is within its own limit; the kernel's counts the processes of a user over all calls.
    expect([output, ...ends.map((end) => end.output)]).toEqual(["here\nall\n", "all\n", "all\n"]);
  });

  test("runs many calls at once, and leaves neither processes nor folders", async () => {
    await using box = await sandboxed(options);
    const ends = await Promise.all(
      Array.from({ length: 12 }, (_, index) => box.sh(`sleep 60 & echo ${index} $HOME`)),
    );
    const said = ends.map(({ output }) => output.trim().split(" "));
    expect(said.map(([index]) => index)).toEqual(said.map((_, index) => String(index)));
    expect(said.filter(([, home = "/"]) => existsSync(home))).toEqual([]);
    expect(orphans()).toEqual([]);
  });
});

/** Which kinds of sockets can be made; numbers, because no module may be there. */
const perlSockets = (port: number) => `
  sub try_it { my ($name, $domain, $type) = @_; print "$name: ", (socket(my $s, $domain, $type, 0) ? "yes" : "no"), "\\n" }
  try_it("inet stream", 2, 1); try_it("inet dgram", 2, 2); try_it("inet6 stream", 10, 1);
  try_it("unix", 1, 1); try_it("netlink", 16, 3); try_it("packet", 17, 3);
  print "pair: ", (socketpair(my $a, my $b, 1, 1, 0) ? "yes" : "no"), "\\n"; # ${port}
`;

const perlConnects = ([granted = 0, other = 0]: readonly number[]) => `
  use Socket;
  sub reach { my ($port) = @_; socket(my $s, 2, 1, 0) or return "no"; connect($s, sockaddr_in($port, inet_aton("127.0.0.1"))) ? "yes" : "no" }
  print reach(${granted}), "\\n", reach(${other}), "\\n";
  socket(my $f, 2, 1, 0);
  print "fast open: ", (defined(send($f, "GET / HTTP/1.0\\r\\n\\r\\n", 0x20000000, sockaddr_in(${other}, inet_aton("127.0.0.1")))) ? "yes" : "no"), "\\n";
  print "mptcp: ", (socket(my $m, 2, 1, 262) ? "yes" : "no"), "\\n";
  print "dgram: ", (socket(my $d, 2, 2, 0) ? "yes" : "no"), "\\n";
  socket(my $l, 2, 1, 0);
  print "listen: ", (listen($l, 1) ? "yes" : "no"), "\\n";
  print "$ENV{https_proxy}\\n";
`;
