/**
 * Runs in the interpreter before any code of a call, so it is as limited as that code: gives it a `console` that sends
 * bounded text to `print`, and answers with the function that shows the value of the code. What the code may do to
 * `Array.prototype` and the like harms nobody but its own output.
 */
export const interpreterPrelude = String.raw`
(print) => {
  "use strict";
  const mostEntries = 100, mostDepth = 4, mostText = 20000;
  const cut = (text, most) => (text.length > most ? text.slice(0, most) + "… (" + (text.length - most) + " more)" : text);
  const isName = (key) => /^[A-Za-z_$][\w$]*$/.test(key);
  const isList = (value) => Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);

  const errorText = (error) => {
    const name = String(error.name), message = cut(String(error.message), 4000);
    const stack = typeof error.stack === "string" ? error.stack.split("\n").filter((line) => line.trim() !== "") : [];
    const shown = stack.slice(0, 8);
    if (stack.length > 8) shown.push("    (" + (stack.length - 8) + " more)");
    return [message === "" ? name : name + ": " + message].concat(shown).join("\n");
  };

  const itemsText = (value, depth, above) => {
    const parts = [];
    for (let i = 0; i < Math.min(value.length, mostEntries); i++) {
      parts.push(i in value ? inspect(value[i], depth + 1, above) : "(empty)");
    }
    if (value.length > mostEntries) parts.push("… " + (value.length - mostEntries) + " more");
    return parts;
  };

  const entriesText = (value, depth, above) => {
    const parts = [];
    const text = (each) => inspect(each, depth + 1, above);
    if (value instanceof Map || value instanceof Set) {
      for (const each of value) {
        if (parts.length === mostEntries) break;
        parts.push(value instanceof Map ? text(each[0]) + " => " + text(each[1]) : text(each));
      }
      if (value.size > mostEntries) parts.push("… " + (value.size - mostEntries) + " more");
    }
    const keys = Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
    for (const key of keys.slice(0, mostEntries)) {
      const slot = Object.getOwnPropertyDescriptor(value, key);
      const name = typeof key === "symbol" ? "[" + String(key) + "]" : isName(key) ? key : JSON.stringify(cut(key, 200));
      parts.push(name + ": " + (slot !== undefined && "value" in slot ? text(slot.value) : "[Getter]"));
    }
    if (keys.length > mostEntries) parts.push("… " + (keys.length - mostEntries) + " more");
    return parts;
  };

  const functionText = (value) => {
    const kind = /^class\b/.test(Function.prototype.toString.call(value)) ? "class" : "Function";
    return "[" + kind + (value.name ? " " + cut(String(value.name), 100) : "") + "]";
  };

  const inspect = (value, depth, above) => {
    if (typeof value === "string") return JSON.stringify(cut(value, depth === 0 ? mostText : 2000));
    if (typeof value === "bigint") return cut(String(value), 2000) + "n";
    if (Object.is(value, -0)) return "-0";
    if (typeof value === "symbol") return cut(String(value), 200);
    if (typeof value === "function") return functionText(value);
    if (typeof value !== "object" || value === null) return String(value);
    if (value instanceof Error) return depth === 0 ? errorText(value) : "[" + errorText(value).split("\n")[0] + "]";
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof RegExp) return cut(RegExp.prototype.toString.call(value), 500);
    if (above.includes(value)) return "[Circular]";
    const maker = Object.getPrototypeOf(value)?.constructor?.name;
    const isPlain = maker === "Object" || maker === "Array";
    const prefix = isPlain ? "" : (typeof maker === "string" && maker !== "" ? cut(maker, 100) : tagOf(value)) + " ";
    const [open, close] = isList(value) ? ["[", "]"] : ["{", "}"];
    if (depth >= mostDepth) return prefix + open + "…" + close;
    const parts = (isList(value) ? itemsText : entriesText)(value, depth, above.concat([value]));
    if (parts.length === 0) return prefix + open + close;
    const line = parts.join(", ");
    const isShort = isList(value) && parts.every((part) => part.length <= 12);
    if ((isShort || line.length + depth * 2 <= 100) && !line.includes("\n")) return prefix + open + " " + line + " " + close;
    const indent = "  ".repeat(depth);
    return prefix + open + "\n" + parts.map((part) => indent + "  " + part).join(",\n") + "\n" + indent + close;
  };

  const show = (value) => {
    try {
      return cut(inspect(value, 0, []), mostText);
    } catch {
      return "(a value that cannot be shown)";
    }
  };
  const say = (stream) => (...values) => {
    print(stream, values.map((value) => (typeof value === "string" ? cut(value, 90000) : show(value))).join(" ") + "\n");
  };
  const out = say("stdout"), err = say("stderr");
  globalThis.console = { log: out, info: out, debug: out, warn: err, error: err };
  return show;
}`;
