/** Puts the cursor into a field, where that does not push a keyboard over half of the screen. */
export function focusWithoutKeyboard(field: HTMLElement | null) {
  if (matchMedia("(pointer: fine)").matches) field?.focus();
}
