/**
 * Pictures are drawn one after another, each in a task of its own, so that a page of many never holds its thread for
 * long: the first is on view while the others are still to come, and a person can press in between. Contract: the
 * first to ask is drawn at once; turns come in the order in which they are asked for.
 */
const waiting: (() => void)[] = [];
let busy = false;

/** @returns what gives the turn up */
export function inTurn(draw: () => void): () => void {
  if (!busy) {
    busy = true;
    setTimeout(next);
    draw();
    return () => {};
  }
  waiting.push(draw);
  return () => {
    const at = waiting.indexOf(draw);
    if (at >= 0) waiting.splice(at, 1);
  };
}

function next(): void {
  const draw = waiting.shift();
  if (draw === undefined) {
    busy = false;
    return;
  }
  setTimeout(next);
  draw();
}
