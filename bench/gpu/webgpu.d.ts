/** Of npm's `webgpu` (Dawn for Node), which is installed when `npm run bench:gpu` asks for it. */
declare module 'webgpu' {
  export function create(options: string[]): GPU;
  export const globals: Record<string, unknown>;
}
