/** The page's right-hand side: the format, the names that are understood, and what decides whether it is worth anything. */
const LINE = `{"v":1,"step":12,"group":"q-17","sample":0,
 "logp_old":[-0.51,-1.203],
 "logp_new":[-0.4987,-1.1954],
 "reward":1,"advantage":0.75}`;

const FIELDS = [
  ['logp_old', 'old_per_token_logps, old_log_probs, prev_logprobs'],
  ['logp_new', 'per_token_logps, log_prob, log_probs'],
  ['group', 'uid, prompt_id'],
  ['advantage or reward', 'score'],
  ['logp_sampler, optional', 'sampling_per_token_logps, rollout_log_probs, generation_logprobs'],
] as const;

export function Words() {
  return (
    <>
      <section>
        <h2>The format</h2>
        <p>One JSON object per response, one per line; Parquet with the same column names.</p>
        <pre className="format-line" tabIndex={0} aria-label="An example line">
          {LINE}
        </pre>
        <dl className="format-fields">
          {FIELDS.map(([name, aliases]) => (
            <div key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>also {aliases}</dd>
            </div>
          ))}
        </dl>
        <p className="small">
          Optional: mask, token_ids, tokens, prompt, response, step, sample, meta. Recipes that
          write it from TRL, verl and NeMo-RL are in <code>docs/export</code>.
        </p>
      </section>
      <section>
        <h2>Two things decide</h2>
        <p>
          <b>Digits.</b> Write float32 or at least six decimals: GSPO’s band is a few times 10⁻⁴
          wide, and bfloat16 moves responses across it.
        </p>
        <p>
          <b>When.</b> On the first minibatch after sampling all ratios are 1. Log logp_new where
          the trainer computes its ratio, after at least one update.
        </p>
      </section>
      <section>
        <h2>Without a browser</h2>
        <p>The same report and figures, in Node:</p>
        <pre className="format-line" tabIndex={0} aria-label="The command">
          npm run analyze -- FILE...
        </pre>
      </section>
    </>
  );
}
