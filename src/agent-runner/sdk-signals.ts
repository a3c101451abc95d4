/** What a message of the SDK says about turns, input and work in the background; null = nothing. */
import type { Signal } from './turns.ts';

/** Read by its fields: the types of the SDK (0.3.330) do not name `command_lifecycle`, which is sent for input with an id. */
export function signalOf(message: object): Signal | null {
  const { type, subtype, is_error, command_uuid: id, state, tasks } = message as Record<string, unknown>;
  if (type === 'command_lifecycle') {
    return typeof id === 'string' && typeof state === 'string' ? { kind: 'input', id, state } : null;
  }
  if (type === 'result') return { kind: 'result', isError: is_error === true };
  if (type !== 'system') return null;
  if (subtype === 'init') return { kind: 'init' };
  if (subtype !== 'background_tasks_changed' || !Array.isArray(tasks)) return null;
  // Watchers of the CLI itself run as long as it does.
  const running = (tasks as Task[]).filter((task) => task.ambient !== true);
  return {
    kind: 'background',
    tasks: running.map(({ task_id, task_type, description }) => ({
      id: task_id,
      kind: task_type,
      description,
    })),
  };
}

interface Task {
  task_id: string;
  task_type: string;
  description: string;
  ambient?: boolean;
}
