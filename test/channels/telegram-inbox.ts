import type { Inbound, Inbox, Taken } from "../../src/channels/channel.ts";

/** An inbox that knows again what it has taken; `before` may throw as a store does that is away. */
export function recordingInbox(before: (message: Inbound) => void | Promise<void> = () => {}) {
  const taken: Inbound[] = [];
  const decisions: unknown[][] = [];
  const deciders: string[] = [];
  const waiting = new Set<() => void>();
  const inbox: Inbox = {
    async take(_, message): Promise<Taken> {
      await before(message);
      if (taken.some(({ deliveryId }) => deliveryId === message.deliveryId)) return { kind: "repeated" };
      taken.push(message);
      for (const look of waiting) look();
      return { kind: "accepted", turnId: message.deliveryId, sessionId: message.sessionId };
    },
    async decide(_, { senderId, principal }, ...rest) {
      deciders.push(senderId);
      const decision: unknown[] = [principal, ...rest];
      const [, id] = decision;
      if (decisions.some(([, decided]) => decided === id)) return `No pending approval found for id: ${id}`;
      decisions.push(decision);
      return `Tool approval recorded: ${decision[1]} = ${decision[2] ? "approved" : "denied"}`;
    },
  };
  return {
    inbox,
    taken,
    decisions,
    /** Ids of the senders who pressed. */
    deciders,
    /** Resolves once so many were taken. */
    async took(times: number) {
      while (taken.length < times) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        await promise;
        waiting.delete(resolve);
      }
    },
  };
}
