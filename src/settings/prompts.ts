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

export interface FilePrompts {
  /** as the setting holds them */
  texts: string;
  taken: number;
  of: number;
}

/** Plain where that is read back as the same; else the shortest JSON line. */
function lineOf({ text, answer }: Prompt): string {
  const plain = answer === null && !/[\r\n]/.test(text) && !/^\s*[{"]/.test(text);
  return plain ? text.trim() : JSON.stringify(answer === null ? text : { prompt: text, answer });
}

/**
 * Prompts out of a file of JSON lines, or of one text a line: as many from the first on as a link can hold.
 * @throws Error with a sentence that names the line
 */
export function promptsOfFile(content: string): FilePrompts {
  const lines = content
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line, i) => ({ line: line.trim(), number: i + 1 }))
    .filter(({ line }) => line !== '');
  if (lines.length === 0) throw new Error('The file has no prompt in it.');
  let texts = '';
  let taken = 0;
  for (const { line, number } of lines) {
    const prompt = readLine(line);
    if (prompt === null || prompt.text.trim() === '') {
      throw new Error(
        `Line ${number} is no prompt: a text is wanted, or JSON with "prompt", "question" or "text", and "answer" or "solution" where there is one.`,
      );
    }
    const more = `${taken === 0 ? '' : '\n'}${lineOf(prompt)}`;
    if (taken >= MOST_PROMPTS || texts.length + more.length > MOST_PROMPT_TEXT) break;
    texts += more;
    taken++;
  }
  if (taken === 0) {
    throw new Error(
      `Its first prompt has ${lines[0]?.line.length} characters; ${MOST_PROMPT_TEXT} can be held.`,
    );
  }
  return { texts, taken, of: lines.length };
}
