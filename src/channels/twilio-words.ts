/** What a person can say to an SMS number that a rule answers, never the model. */
export type OptOutWord = "stop" | "start" | "help";

/** The words that Twilio and the carriers know: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out */
const words: Readonly<Record<string, OptOutWord>> = {
  stop: "stop",
  stopall: "stop",
  unsubscribe: "stop",
  cancel: "stop",
  end: "stop",
  quit: "stop",
  revoke: "stop",
  optout: "stop",
  start: "start",
  unstop: "start",
  help: "help",
  info: "help",
};

/**
 * The word that a whole message is, in any case. YES is START for who has stopped; to everybody else it is an answer
 * to something, so it is none.
 */
export function optOutWord(text: string, hasStopped: boolean): OptOutWord | undefined {
  const word = text.trim().toLowerCase();
  if (word === "yes") return hasStopped ? "start" : undefined;
  return Object.hasOwn(words, word) ? words[word] : undefined;
}

/** What is answered. */
export const optOutAnswers: Readonly<Record<OptOutWord, string>> = {
  stop: "You will get no more messages from this number. Reply START to get them again.",
  start: "You get messages from this number again. Reply STOP to get no more, HELP for help.",
  help: "This number is answered by an automated assistant. Reply STOP to get no more messages, START to get them again. Message and data rates may apply.",
};
