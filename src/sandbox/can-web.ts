/** What came back for an address. */
export interface Fetched {
  /** The address that answered, after redirects. */
  readonly url: string;
  readonly status: number;
  /** Without parameters, lower case; empty when it was not said. */
  readonly contentType: string;
  readonly charset?: string;
  readonly bytes: Uint8Array;
  /** True when there was more than `maxBytes`. */
  readonly cut: boolean;
}

/** GET of `http` and `https` under the egress rules, redirects too. */
export interface CanWeb {
  get(
    url: string,
    options: { readonly maxBytes: number; readonly accept?: string | undefined },
  ): Promise<Fetched>;
  /** What a person would read of a page; `url` is where its relative links begin. */
  page(html: string, url: string): Promise<WebPage>;
}

export interface WebPage {
  /** Empty when it has none. */
  readonly title: string;
  /** Its main text; all of its text where no main text stands out. */
  readonly markdown: string;
  /** Links that do not stand in the text, whole ones of the web alone; at most 50. */
  readonly links: readonly { readonly text: string; readonly url: string }[];
}

/** Where a page of the browser stands after a call. */
export interface PageState {
  readonly url: string;
  readonly title: string;
  /** Status of the answer, where the call loaded a page. */
  readonly status?: number;
  /** What happened beside it since the last call: a dialog, a window, a download, a host that was refused. */
  readonly notes: readonly string[];
}

/** Text of a page; `cut` when it is longer than what may be asked for at once. */
export interface PageText extends PageState {
  readonly text: string;
  readonly cut: boolean;
}

/**
 * A page of a browser for the caller's session, kept between calls. A selector is a reference that `snapshot` gave
 * (`e12`), CSS, or `text=…`. A failure is an `AppError` for the model.
 */
export interface CanBrowse {
  goto(url: string): Promise<PageState>;
  back(): Promise<PageState>;
  click(selector: string): Promise<PageState>;
  fill(selector: string, value: string): Promise<PageState>;
  /** A key such as `Enter` or `Control+a`; in the element, or where the focus is. */
  press(key: string, selector?: string): Promise<PageState>;
  /** An option of a list by its value or its label. */
  select(selector: string, value: string): Promise<PageState>;
  /** Waits until an element, or a text, can be seen. */
  waitFor(what: { readonly selector: string } | { readonly text: string }): Promise<PageState>;
  /** What a person can read, of one element or of all, from a character (0-based) on. */
  text(from: number, length: number, selector?: string): Promise<PageText>;
  /** The elements by role and name with their references, as YAML. */
  snapshot(from: number, length: number): Promise<PageText>;
  /** What is in the window, as a JPEG; with a selector, scrolled so far that the element is in it. */
  screenshot(selector?: string): Promise<PageState & { readonly bytes: Uint8Array }>;
  /** The value of an expression in the page, as JSON. Throws `forbidden` where scripts are not allowed. */
  evaluate(script: string, length: number): Promise<PageText>;
  /** False when nothing was open. */
  close(): Promise<boolean>;
}

export interface WebHit {
  readonly title: string;
  readonly url: string;
  readonly snippet: string;
}

export interface CanSearchWeb {
  search(query: string, limit: number): Promise<readonly WebHit[]>;
}
