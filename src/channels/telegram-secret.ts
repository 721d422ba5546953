const hmac = (key: string, text: string) =>
  new Bun.CryptoHasher("sha256", key).update(`openclaw telegram ${text}`).digest("hex");

const digest = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest();

/** What Telegram shows with each delivery when the operator chose nothing: nobody without the token can make it. */
export const deriveSecret = (token: string) => hmac(token, "webhook");

/** What the data of buttons is signed with. */
export const buttonKey = (token: string) => hmac(token, "buttons");

/** Eight signs that change with the secret, so that a webhook with an old one is known by its address. */
export const secretMark = (token: string, secret: string) => hmac(token, `mark ${secret}`).slice(0, 8);

/** Compares in constant time, without showing the length. */
export const isSecret = (shown: string, secret: string) =>
  crypto.timingSafeEqual(digest(shown), digest(secret));
