/** The tasks that policies can be of. Adding one: a file with its `Task`, and a line here. */
import { arithmetic } from './arithmetic';
import { maze } from './maze';
import type { Task } from './task';

const TASKS: readonly Task[] = [arithmetic, maze];

/**
 * @param id as a policy's `lab.json` names its task
 * @throws an Error that names what there is
 */
export function findTask(id: string): Task {
  const task = TASKS.find((candidate) => candidate.id === id);
  if (task) return task;
  const known = TASKS.map((candidate) => `"${candidate.id}"`).join(', ');
  throw new Error(`This lab has no task "${id}"; it has ${known}.`);
}
