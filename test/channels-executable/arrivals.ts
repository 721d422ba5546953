/** What arrived at the people, and in which life of the server. */

interface Arrival {
  readonly label: string;
  readonly life: number;
}

/** How a text is told from others: by the marks in it. */
const marks = /(?:re|end) [a-z]\d-\d+|tick \d+/g;
const labelOf = (text: string) => (text.match(marks) ?? [text]).join(" ");

export function recordArrivals() {
  const all = new Map<string, Arrival[]>();
  let life = 0;

  /** One after the other, what came again directly behind itself once. */
  function* heardBy(recipient: string) {
    let last: Arrival | undefined;
    for (const arrival of all.get(recipient) ?? []) {
      if (arrival.label !== last?.label) yield arrival.label;
      last = arrival;
    }
  }

  return {
    /** `before` is what the message said that this is an edit of: a preview that becomes the answer is not a second one. */
    arrived(recipient: string, text: string, before?: string) {
      const label = labelOf(text);
      if (before !== undefined && labelOf(before) === label) return;
      all.set(recipient, [...(all.get(recipient) ?? []), { label, life }]);
    },
    /** The server was killed, and nothing of it is on its way any more. */
    died() {
      life++;
    },
    heardBy: (recipient: string) => [...heardBy(recipient)],
    total: () => [...all.values()].reduce((sum, { length }) => sum + length, 0),
    /** What came twice: `explained` where a kill lies between two sendings with nothing between them. */
    doubles() {
      let explained = 0;
      const unexplained: string[] = [];
      for (const [recipient, arrivals] of all)
        for (const [at, { label, life }] of arrivals.entries()) {
          const before = arrivals.findLastIndex((each, index) => index < at && each.label === label);
          if (before < 0) continue;
          const last = arrivals[before];
          if (before === at - 1 && last !== undefined && last.life < life) explained++;
          else unexplained.push(`${recipient}: ${label}`);
        }
      return { explained, unexplained };
    },
  };
}

export type Arrivals = ReturnType<typeof recordArrivals>;
