import type { EndpointSlice } from "../../api/generated/types.ts";
import { SERVICE_NAME } from "../../api/names.ts";

/** The informer's index of slices by `namespace/service`. */
export const BY_SERVICE = "service";

export const serviceKeyOf = ({ metadata }: Readonly<EndpointSlice>): string =>
  `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME]}`;
