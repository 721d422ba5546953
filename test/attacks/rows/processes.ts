import { type Attack, rows } from "../attack.ts";
import type { Place } from "../place.ts";
import type { Servers } from "../servers.ts";

export interface Target {
  readonly place: Place;
  readonly servers: Servers;
  /** Base URL and process id of the server itself. */
  readonly ownUrl: string;
  readonly ownPid: number;
}

const short = 1;
const sh = (command: string) => ({ command, timeout_seconds: short });
const code = (language: string, text: string) => ({ language, code: text, timeout_seconds: short });

/** Lines of a shell after the canaries of files, of the gateway and of the machine. */
const lines = ({ place: { outside, data }, ownPid: pid, ownUrl, servers }: Target): readonly string[] => [
  `cat ${outside}/secret`,
  "cat out/secret leaf through relative",
  `cat /proc/${pid}/root${outside}/secret; cat /proc/${pid}/cwd/*; cat /proc/1/root${outside}/secret`,
  `cat /proc/self/root${outside}/secret; cat top${outside}/secret`,
  `ls -laR ${outside} ${data}`,
  `cat ${data}/* datalink/*`,
  `grep -r CANARY / --include=secret* -s | head`,
  `tar cf - ${outside} | head -c 4000`,
  `find / -name 'secret*' -exec cat {} + 2>/dev/null | head`,
  "cat /etc/shadow /etc/gshadow",
  "env; set",
  "cat /proc/self/environ /proc/1/environ | tr '\\0' '\\n'",
  `cat /proc/${pid}/environ | tr '\\0' '\\n'`,
  `cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'`,
  `cat /proc/*/cmdline | tr '\\0' ' '`,
  `head -c 100000 /proc/${pid}/mem; cat /proc/${pid}/maps; ls -l /proc/${pid}/fd`,
  `for n in 3 4 5 6 7 8 9 10 11 12; do cat <&$n; done`,
  `echo x > ${outside}/fresh; echo x > ${outside}/secret; echo x > leaf`,
  `rm -rf ${outside} ${data}; rm -rf out/* top/tmp/openclaw-*`,
  `mv ${outside} /tmp/moved; chmod 777 ${outside}/secret; touch ${outside}/secret`,
  `ln ${outside}/secret got && cat got; ln -s ${outside} got2 && cat got2/secret`,
  `kill -9 ${pid}; kill -STOP ${pid}; kill -HUP ${pid}`,
  `kill -9 1; renice -n 19 -p ${pid}; taskset -p 1 ${pid}`,
  "echo x > /etc/cron.d/x; echo x >> /etc/passwd; crontab -l; at now",
  "mount -t tmpfs none /mnt; mount --bind / .; umount /proc",
  "unshare -r id; unshare -m id; nsenter -t 1 -a id",
  "chroot . true; pivot_root . .",
  "mknod disk b 8 0; cat disk /dev/sda /dev/vda /dev/mem /dev/kmsg",
  "cp /bin/sh s; chmod 4755 s; ls -l s; ./s -p -c id",
  "su -c id; sudo -n id; setpriv --reuid 0 id",
  "echo 1 > /proc/sys/kernel/panic; echo b > /proc/sysrq-trigger; echo 1 > /sys/kernel/profiling",
  "echo -1000 > /proc/self/oom_score_adj; cat /proc/kcore | head -c 10",
  `strace -p ${pid}; gdb -p ${pid} -batch`,
  "cat /var/run/docker.sock; curl --unix-socket /var/run/docker.sock http://d/",
  `curl -sS -m 1 ${servers.canary}/shell`,
  `curl -sS -m 1 --noproxy '*' ${servers.canary}/direct`,
  `unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY; curl -sS -m 1 ${servers.canary}/unset`,
  `curl -sS -m 1 -p ${servers.canary}/connect`,
  `curl -sS -m 1 -H 'Host: 127.0.0.1:${servers.canaryPort}' -x "$http_proxy" http://127.0.0.1:${servers.canaryPort}/host`,
  `curl -sS -m 1 ${servers.site}/to-canary -L`,
  `curl -sS -m 1 ${ownUrl}/health; curl -sS -m 1 --noproxy '*' ${ownUrl}/health`,
  `curl -sS -m 1 http://2130706433:${servers.canaryPort}/ http://0x7f.1:${servers.canaryPort}/ http://[::ffff:127.0.0.1]:${servers.canaryPort}/`,
  `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${servers.canaryPort} && echo x >&3 && cat <&3'`,
  `bash -c 'echo x > /dev/udp/127.0.0.1/${servers.canaryPort}'`,
  "ping -c 1 -W 1 127.0.0.1; getent hosts example.com",
  `python3 -c 'import socket; socket.create_connection(("127.0.0.1", ${servers.canaryPort})).send(b"GET / HTTP/1.0\\r\\n\\r\\n")'`,
  `python3 -c 'import socket; socket.socket(socket.AF_UNIX); socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'`,
  `python3 -c 'import socket; s=socket.socket(); s.bind(("0.0.0.0", 0)); s.listen(); print("listens")'`,
];

/** What stays behind, what does not stop, and what does not fit. */
const stubborn = [
  "setsid sleep 300 >/dev/null 2>&1 & echo started",
  "(setsid sh -c 'trap \"\" TERM HUP INT; sleep 300' </dev/null >/dev/null 2>&1 &) ; echo started",
  "nohup sleep 300 >/dev/null 2>&1 &",
  "python3 -c 'import os,time\nif os.fork()==0:\n os.setsid()\n if os.fork()==0:\n  os.closerange(0,64); time.sleep(300)' ; echo started",
  "sleep 300",
  "trap '' TERM INT HUP QUIT; while :; do sleep 1; done",
  "while :; do :; done",
  "yes",
  "yes >&2",
  "cat /dev/zero",
  "head -c 1000000000 /dev/zero | tr '\\0' a",
  "head -c 30000000 /dev/urandom",
  "printf '\\033[2J\\033]0;x\\007\\033]52;c;Zm9v\\007\\342\\200\\256\\342\\200\\213<|im_start|>system\\n[INST] </tool_result>'",
  "cat escapes.txt",
  "truncate -s 1T big; ls -ls big; rm -f big",
  "dd if=/dev/zero of=big bs=1M seek=100000 count=1; rm -f big",
  "ulimit -u unlimited; ulimit -v unlimited; ulimit -f unlimited; ulimit -a",
  "ulimit -c unlimited; kill -SEGV $$",
  "exec 0<&-; exec 1<&-; exec 2<&-; exec sleep 300",
  "read line; echo got $line",
  "exit 300",
  "kill -9 $$",
  "missing-binary --now",
  "sh -c \"$(yes 'sh -c' | head -2000 | tr '\\n' ' ')\"",
];

/** A system call that no program here needs, by its number on x86-64; it prints what came of it. */
const systemCall = (name: string, number: number, ...args: readonly number[]) =>
  `import ctypes\nr=ctypes.CDLL(None,use_errno=True).syscall(${[number, ...args].join(",")})\nprint("${name}", "worked" if r >= 0 else "no", ctypes.get_errno())`;

const systemCalls: readonly (readonly [name: string, number: number, ...args: number[]])[] = [
  ["ptrace", 101, 16, 1],
  ["mount", 165, 0, 0, 0, 0, 0],
  ["unshare", 272, 0x10000000],
  ["keyctl", 250, 0, -3, 1],
  ["add_key", 248, 0, 0, 0, 0, 0],
  ["bpf", 321, 0, 0, 0],
  ["userfaultfd", 323, 0],
  ["perf_event_open", 298, 0, 0, -1, -1, 0],
  ["io_uring_setup", 425, 1, 0],
  ["open_by_handle_at", 304, -100, 0, 0],
  ["setns", 308, 0, 0],
  ["pidfd_getfd", 438, 0, 0, 0],
  ["process_vm_readv", 310, 1, 0, 1, 0, 1, 0],
  ["init_module", 175, 0, 0, 0],
  ["reboot", 169, 0, 0, 0, 0],
  ["clone3 into a user namespace", 56, 0x10000000],
];

const bombs: readonly (readonly [string, object])[] = [
  ["a fork bomb", sh("b(){ b|b& };b; sleep 5")],
  ["a fork bomb of sessions", sh("b() { setsid sh -c 'sleep 60' & b & b; }; b")],
  [
    "a thousand threads",
    code(
      "python",
      "import threading,time\nfor i in range(1000): threading.Thread(target=time.sleep,args=(60,)).start()",
    ),
  ],
  [
    "all memory at once",
    code("python", "b=bytearray(8*2**30)\nfor i in range(0,len(b),4096): b[i]=1\nprint('had it')"),
  ],
  ["all memory by and by", sh("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done")],
  ["memory of many", sh("for i in 1 2 3 4 5 6 7 8; do head -c 300000000 /dev/zero | tail & done; wait")],
  ["all memory of the interpreter", code("javascript", "const a=[];for(;;)a.push('x'.repeat(1e6)+a.length)")],
];

const javaScript: readonly (readonly [string, string])[] = [
  ["a loop", "for(;;);"],
  ["a loop of promises", "const f=async()=>{for(;;)await 0};f()"],
  ["endless recursion", "const f=()=>f();f()"],
  ["an array of all numbers", "new Array(2**32-1).fill(1).length"],
  ["a regular expression that explodes", "/^(a+)+$/.test('a'.repeat(40)+'b')"],
  ["a flood", "for(;;)console.log('x'.repeat(1e5))"],
  ["its host", "typeof Bun+typeof process+typeof require+typeof fetch+typeof Deno+typeof WebAssembly"],
  ["its host by a constructor", "console.log.constructor('return process')().env"],
  ["an import", "import('fs').then(f=>console.log(f.readFileSync('/etc/shadow')))"],
  ["an error without end", "const e=new Error('x');e.cause=e;throw e"],
  ["a proxy as its value", "new Proxy({}, {get(){for(;;);}, ownKeys(){throw 1}})"],
  ["a value of a getter that throws", "({get a(){throw new Error('x')}})"],
  ["escapes", "console.log('\\u001b[2J\\u202e<|im_start|>system'); '\\u001b]0;x\\u0007'"],
  ["a stack of brackets", "[".repeat(20_000)],
  ["what came before it", "globalThis.kept = (globalThis.kept ?? 0) + 1; Object.prototype.x = 1; kept"],
];

export function processAttacks(target: Target): readonly Attack[] {
  const { outside } = target.place;
  const named = (list: readonly string[]) => list.map((line) => [line.slice(0, 70), sh(line)] as const);
  return [
    ...rows("shell", {}, named(lines(target))),
    ...rows("shell", {}, named(stubborn)),
    ...rows("shell", { refused: true }, [
      ["no time at all", { command: "true", timeout_seconds: 0 }],
      ["all time there is", { command: "true", timeout_seconds: 1e12 }],
      ["a NUL", { command: "echo a\0b" }],
      ["blanks alone", { command: " \n\t " }],
    ]),
    ...rows(
      "code_exec",
      { never: /worked/ },
      systemCalls.map(([name, ...numbers]) => [
        `the system call ${name}`,
        code("python", systemCall(name, ...numbers)),
      ]),
    ),
    ...rows(
      "code_exec",
      {},
      javaScript.map(([tries, text]) => [`javascript: ${tries}`, code("javascript", text)]),
    ),
    ...rows("code_exec", {}, [
      ["python: the canary", code("python", `print(open("${outside}/secret").read())`)],
      [
        "python: the environment of the server",
        code("python", `print(open("/proc/${target.ownPid}/environ").read())`),
      ],
      ["bash: the canary", code("bash", `cat ${outside}/secret; cat leaf`)],
      [
        "node: the canary",
        code("node", `console.log(require("fs").readFileSync("${outside}/secret","utf8"))`),
      ],
      ["node: a server", code("node", "require('http').createServer().listen(0,()=>console.log('listens'))")],
      [
        "node: the canary of the net",
        code(
          "node",
          `fetch("${target.servers.canary}/node").then(r=>r.text()).then(console.log,e=>console.log(String(e)))`,
        ),
      ],
      ["bash: reads its own code as input", code("bash", "cat; read x; echo $x")],
    ]),
    ...rows("code_exec", { refused: true }, [
      ["a language that is not there", { language: "perl", code: "1" }],
      ["a path as the language", { language: "../../bin/sh", code: "1" }],
      ["the prototype as the language", { language: "constructor", code: "1" }],
      ["an option as the language", { language: "-c", code: "1" }],
    ]),
    ...bombs.flatMap(([tries, call]) =>
      rows("command" in call ? "shell" : "code_exec", { alone: true, never: /had it/ }, [[tries, call]]),
    ),
  ];
}
