/** What the curves are there to show, in the paper's terms. */
import { Prose } from '../../format/Prose';

export function About() {
  return (
    <section aria-label="What to look for">
      <h2>What to look for</h2>
      <p className="small">
        <Prose>
          Every racer starts from the same checkpoint and sees the same prompts and random numbers.
          A step samples G responses to each prompt, checks them, takes advantages within the group,
          and makes several updates on the same rollouts: that is where s leaves 1.
        </Prose>
      </p>
      <p className="small">
        <Prose>
          GSPO’s band is a hundred times tighter than GRPO’s and still clips far more: s averages
          the log-ratio over the response, so its spread is smaller by √L, and the band has to
          follow. Compare the clip shares, then Var[log s] with σ²/L.
        </Prose>
      </p>
      <p className="small">
        <Prose>
          s = exp(ΔH): a step that makes its own responses less likely on average has ΔH below 0.
        </Prose>
      </p>
    </section>
  );
}
