// Reads a request off HTTP: address, headers, and on demand the body, up to the limit.
import { statusError } from "../../api/status-error.ts";
import type { ApiRequest, RequestBody, User } from "../request.ts";
import type { HttpRequest } from "./listener.ts";

/** kube-apiserver's limit for resource requests. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

export function splitUrl(url: string): { path: string; query: string } {
  const mark = url.indexOf("?");
  return mark < 0 ? { path: url, query: "" } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

export function readRequest(request: HttpRequest, user: User): ApiRequest {
  const { path, query } = splitUrl(request.url ?? "/");
  const { headers } = request;
  return {
    method: request.method ?? "GET",
    path,
    query: new URLSearchParams(query),
    user,
    accept: headers.accept ?? "",
    contentType: headers["content-type"],
    userAgent: headers["user-agent"] ?? "",
    ifNoneMatch: headers["if-none-match"],
    readBody: () => readBody(request),
  };
}

const tooLarge = () =>
  statusError("RequestEntityTooLarge", `Request entity too large: limit is ${MAX_BODY_BYTES}`);

function readBody(request: HttpRequest): Promise<RequestBody> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return reject(tooLarge());
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) {
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    });
    request.on("end", () => resolve({ bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }));
    request.on("error", reject);
    request.on("aborted", () => reject(new Error("the client went away")));
  });
}
