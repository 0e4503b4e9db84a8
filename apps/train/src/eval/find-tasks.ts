/** The evaluations, found by reading the folder `tasks`, in the order in which `eval all` runs them. */
import { modulesIn } from '../module-folder';
import type { EvalTask } from './task';

/** Those without a place of their own come last, by name. */
export async function findTasks(): Promise<EvalTask[]> {
  const modules = await modulesIn<{ readonly task: EvalTask }>('eval/tasks');
  const place = ({ order = Number.MAX_VALUE }: EvalTask): number => order;
  return modules.map(({ task }) => task).toSorted((a, b) => place(a) - place(b));
}
