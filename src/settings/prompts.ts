/**
 * Prompts of a person's own, out of one text: a line each, or JSON lines (`{"prompt": "...", "answer": "..."}`, as data
 * sets of questions have them, under the usual names). Contract: pure; null where a line of JSON is no prompt.
 */
import * as v from 'valibot';

export const MOST_PROMPT_TEXT = 8000;
const MOST_PROMPTS = 4096;

export interface Prompt {
  text: string;
  /** for a verifier; null: none is given */
  answer: string | null;
}

const answer = v.union([v.string(), v.number()]);
const lineSchema = v.union([
  v.string(),
  v.object({
    prompt: v.optional(v.string()),
    question: v.optional(v.string()),
    text: v.optional(v.string()),
    answer: v.optional(answer),
    solution: v.optional(answer),
  }),
]);

function readLine(line: string): Prompt | null {
  if (!/^[{"]/.test(line)) return { text: line, answer: null };
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    // A text may begin with a quotation mark.
    return line.startsWith('"') ? { text: line, answer: null } : null;
  }
  const read = v.safeParse(lineSchema, json);
  if (!read.success) return null;
  if (typeof read.output === 'string') return { text: read.output, answer: null };
  const { prompt, question, text: said, answer: right, solution } = read.output;
  const text = prompt ?? question ?? said;
  const found = right ?? solution;
  return text === undefined ? null : { text, answer: found === undefined ? null : String(found) };
}

export function readPrompts(text: string): Prompt[] | null {
  const lines = text.split('\n').map((line) => line.trim());
  const prompts = lines.filter((line) => line !== '').map(readLine);
  const usable = prompts.length > 0 && prompts.length <= MOST_PROMPTS;
  return usable && prompts.every((prompt) => prompt !== null) ? prompts : null;
}
