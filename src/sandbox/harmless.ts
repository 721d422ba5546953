const controls = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Control characters as pictures of them, so that no terminal, log or page obeys a text; line breaks and tabs stay. */
export const harmless = (text: string): string =>
  text
    .replaceAll("\r\n", "\n")
    .replace(controls, (character) => {
      const code = character.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? "\u2421" : "\uFFFD";
    })
    .toWellFormed();
