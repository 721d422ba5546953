import { render } from "preact";
import { createChat } from "./chat.ts";
import { createMarkdown } from "./markdown.ts";
import { App } from "./parts/app.tsx";

const chat = createChat();
render(<App chat={chat} toHtml={createMarkdown()} />, document.body);
void chat.start();
