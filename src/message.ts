/** What a caught error says to a person; whatever was thrown, a text. */
export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
