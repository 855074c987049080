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
          As published, GSPO’s band (3e-4/4e-4) is 667 to 675 times tighter than GRPO’s (0.2/0.27)
          and still clips far more. The lab’s own races use 0.003/0.004, ten times the published
          band: the shipped policy is small and moves further. Averaging over L tokens narrows s by
          √L only, so the rest is a choice. Compare the clip shares, then Var[log s] with σ²/L.
        </Prose>
      </p>
      <p className="small">
        <Prose>
          s = exp(ΔH): a step that makes its own responses less likely on average has ΔH below 0, as
          nearly every step does: its mean under π_old is minus a KL divergence.
        </Prose>
      </p>
    </section>
  );
}
