/**
 * For a thread that has ended: the process ends too, to be started anew. Without one of its threads it would leave requests
 * without an answer.
 */
export function endWithThread(reason: Error): never {
  throw reason
}
