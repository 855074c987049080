/** The lessons of the site, `public/lessons/ID.json`, in the order in which a class takes them. */
export const SHIPPED_LESSONS = [
  'what-a-ratio-is',
  'three-names-for-one-number',
  'why-one-over-l',
  'when-it-breaks',
] as const;
