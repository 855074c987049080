/** The lessons of the site, `public/lessons/ID.json`, in the order in which a class takes them: 45 minutes at three levels. */
export const SHIPPED_LESSONS = [
  'what-a-ratio-is',
  'three-names-for-one-number',
  'why-one-over-l',
  'when-it-breaks',
  'what-clipping-throws-away',
  'looking-too-often',
  'gspo-against-grpo',
  'your-first-failed-claim',
] as const;

export const LEVELS = ['What s is', 'What s does', 'What can be claimed'] as const;
