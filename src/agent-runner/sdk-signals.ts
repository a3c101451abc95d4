/** What a message of the SDK says about turns, input and work in the background; null = nothing. */
import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import type { Signal } from './turns.ts';

export function signalOf(message: SDKMessage): Signal | null {
  const input = inputOf(message);
  if (input !== null) return input;
  if (message.type === 'result') return { kind: 'result', isError: message.is_error };
  if (message.type !== 'system') return null;
  if (message.subtype === 'init') return { kind: 'init' };
  if (message.subtype !== 'background_tasks_changed') return null;
  // Watchers of the CLI itself run as long as it does.
  const tasks = message.tasks.filter((task) => task.ambient !== true);
  return {
    kind: 'background',
    tasks: tasks.map(({ task_id: id, task_type: kind, description }) => ({ id, kind, description })),
  };
}

/** The types of the SDK do not name this message (0.3.330). It is sent for input that has an id. */
function inputOf(message: unknown): Signal | null {
  const { type, command_uuid: id, state } = message as Record<string, unknown>;
  if (type !== 'command_lifecycle' || typeof id !== 'string' || typeof state !== 'string') return null;
  return { kind: 'input', id, state };
}
