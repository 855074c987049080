/**
 * What a foreign model's JSON files say that decoding needs. Contract: everything is hostile until it has passed here;
 * what is wrong is a FetchError that names file and field.
 */
import * as v from 'valibot';
import { FetchError } from '../fetch';
import { portNamesSchema, type PortNames } from '../graph/ports';

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(2 ** 24));
const ids = v.nullish(v.union([id, v.pipe(v.array(id), v.maxLength(64))]));
const count = v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(2 ** 24)));

const modelShape = {
  model_type: v.nullish(v.pipe(v.string(), v.maxLength(100))),
  max_position_embeddings: count,
  n_positions: count,
  n_ctx: count,
  max_seq_len: count,
  seq_length: count,
  num_attention_heads: count,
  num_key_value_heads: count,
  head_dim: count,
  hidden_size: count,
  eos_token_id: ids,
  pad_token_id: ids,
  lab: v.optional(v.partial(portNamesSchema)),
};
const configSchema = v.object({ ...modelShape, text_config: v.nullish(v.object(modelShape)) });
const generationSchema = v.nullish(v.object({ eos_token_id: ids, pad_token_id: ids }));

type Ids = v.InferOutput<typeof ids>;

export interface ForeignConfig {
  /** prompt and response together; null: the config does not say */
  maxPositions: number | null;
  /** ids that end a response; none: the files name none */
  ends: number[];
  pad: number | null;
  /** for caches whose shape the graph leaves open */
  heads: number | null;
  headSize: number | null;
  /** of ports, where the config gives some (`graph/ports.ts`) */
  names: { [K in keyof PortNames]?: PortNames[K] | undefined };
}

function read<S extends v.GenericSchema>(schema: S, json: unknown, file: string): v.InferOutput<S> {
  if (Array.isArray(json)) throw new FetchError(`${file}: a list, where an object is wanted.`);
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new FetchError(`${file}: ${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`);
}

const listOf = (value: Ids): number[] =>
  value === null || value === undefined ? [] : [value].flat();

/** @throws FetchError */
export function readConfig(config: unknown, generation: unknown): ForeignConfig {
  const whole = read(configSchema, config, 'config.json');
  const generated = read(generationSchema, generation, 'generation_config.json');
  // Models of several kinds of input keep what belongs to the text in a part of its own.
  const text = whole.text_config ?? whole;
  const said = listOf(generated?.eos_token_id);
  const ends = said.length > 0 ? said : listOf(text.eos_token_id ?? whole.eos_token_id);
  const pad = [text.pad_token_id, whole.pad_token_id, generated?.pad_token_id].flatMap(listOf);
  const heads = text.num_key_value_heads ?? text.num_attention_heads ?? null;
  const { hidden_size: width, num_attention_heads: all } = text;
  return {
    maxPositions:
      text.max_position_embeddings ??
      text.n_positions ??
      text.n_ctx ??
      text.max_seq_len ??
      text.seq_length ??
      null,
    ends: [...new Set(ends)],
    pad: pad[0] ?? null,
    heads,
    headSize: text.head_dim ?? (width && all ? Math.floor(width / all) : null),
    names: whole.lab ?? {},
  };
}
