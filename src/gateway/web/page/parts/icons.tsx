import type { ComponentChildren } from "preact";

const Icon = ({ children }: { children: ComponentChildren }) => (
  <svg
    class="icon"
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    aria-hidden="true"
  >
    {children}
  </svg>
);

export const Mark = () => (
  <Icon>
    <path d="M3 13.5C1.8 8.5 3.6 3.6 8 2c-1.6 2.4-1.7 4-.6 5.6C9.2 5.6 11 5 13.6 5.4 13.4 9.8 9.6 13.4 3 13.5Z" />
  </Icon>
);
export const Plus = () => (
  <Icon>
    <path d="M8 3v10M3 8h10" />
  </Icon>
);
export const Menu = () => (
  <Icon>
    <path d="M2 4.5h12M2 8h12M2 11.5h8" />
  </Icon>
);
export const Send = () => (
  <Icon>
    <path d="M8 13V3.5M4 7.2 8 3.2l4 4" />
  </Icon>
);
export const Stop = () => (
  <Icon>
    <rect x="4.5" y="4.5" width="7" height="7" rx="1" fill="currentColor" />
  </Icon>
);
export const Down = () => (
  <Icon>
    <path d="M8 3v9.5M4 8.8l4 4 4-4" />
  </Icon>
);
export const Pencil = () => (
  <Icon>
    <path d="M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3 3 13Z" />
  </Icon>
);
export const Fork = () => (
  <Icon>
    <path d="M4 2.5v11M4 9.5c0-2 8-1 8-4M12 5.5v-3" />
  </Icon>
);
