import createPurifier from "dompurify";
import { Marked, type MarkedExtension } from "marked";

/** Above this a text is shown as it is: nobody reads it, and formatting it again with each token would stop the page. */
const longestFormatted = 200_000;

/** For one text. The parser compares each run of `*` or `_` in a paragraph with those behind it: 80 kB of them took it half a minute. */
const mostComparisons = 2000 ** 2;

const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const isPicture = (address: string) => /^data:image\//i.test(address);

/** Shows a paragraph as it is when finding the ends of its emphasis would take more than is left for this text. */
function boundEmphasis(): MarkedExtension {
  let left = mostComparisons;
  return {
    hooks: {
      preprocess(text) {
        left = mostComparisons;
        return text;
      },
    },
    extensions: [
      {
        name: "tangled",
        level: "inline",
        tokenizer(src, tokens) {
          if (tokens.length > 0) return undefined;
          const comparisons = (src.match(/\*+|_+/g) ?? []).length ** 2;
          if (comparisons > left) return { type: "text", raw: src, text: src };
          left -= comparisons;
          return undefined;
        },
      },
    ],
  };
}

const createMarked = () =>
  new Marked(boundEmphasis(), {
    gfm: true,
    breaks: true,
    renderer: {
      // A model writes Markdown. HTML in it is text that somebody put there, so it is shown and not obeyed.
      html: ({ text }) => escapeHtml(text),
      // A picture from elsewhere would tell its server that it was read: it becomes a link that a person may follow.
      image({ href, text }) {
        const [address, label] = [escapeHtml(href), escapeHtml(text || "image")];
        return isPicture(href)
          ? `<img src="${address}" alt="${label}">`
          : `<a href="${address}">${label}</a>`;
      },
      code({ text, lang }) {
        const language = escapeHtml(/^[\w+#.-]{1,20}/.exec(lang ?? "")?.[0] ?? "");
        const copy = `<button type="button" class="copy">Copy</button>`;
        return `<div class="code"><div><span>${language}</span>${copy}</div><pre tabindex="0"><code>${escapeHtml(text)}</code></pre></div>`;
      },
    },
  });

function createSanitizer() {
  const purifier = createPurifier(window);
  purifier.addHook("afterSanitizeAttributes", (node) => {
    if (node.tagName === "IMG" && !isPicture(node.getAttribute("src") ?? "")) node.remove();
    if (node.tagName !== "A") return;
    if (isPicture(node.getAttribute("href") ?? "")) node.removeAttribute("href");
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer");
  });
  const blocks = [
    "p",
    "br",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "ul",
    "ol",
    "li",
    "div",
    "pre",
  ];
  const inline = ["a", "strong", "em", "del", "code", "span", "img", "input", "button"];
  const tables = ["table", "thead", "tbody", "tr", "th", "td"];
  const rules = {
    ALLOWED_TAGS: [...blocks, ...inline, ...tables],
    ALLOWED_ATTR: [
      "href",
      "src",
      "alt",
      "start",
      "align",
      "type",
      "checked",
      "disabled",
      "class",
      "tabindex",
    ],
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|data:image\/)/i,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  };
  return (html: string): string => purifier.sanitize(html, rules);
}

/** Makes the function from a model's Markdown to HTML: no scripts, no styles, nothing fetched, links that open elsewhere. */
export function createMarkdown(): (text: string) => string {
  const marked = createMarked();
  const sanitize = createSanitizer();
  const plain = (text: string) => `<pre>${escapeHtml(text)}</pre>`;
  return (text) => {
    if (text.length > longestFormatted) return plain(text);
    try {
      return sanitize(marked.parse(text, { async: false }));
    } catch {
      // Nesting that is thousands deep ends the stack of the parser; the text itself is still worth showing.
      return plain(text);
    }
  };
}
