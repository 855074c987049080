/** Hands a file to the person. */
export function download(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads the blob after the click; a later task may drop it.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
