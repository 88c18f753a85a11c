-- The non-blocking health check: healthy is what is configured, that is, what matches the spec and has its signing Secret. That an
-- endpoint is disabled or suspended is in the message only, so that it never keeps back the Deployment that repairs its receiver.
local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end

local function isTrue(condition)
  return condition ~= nil and condition.status == "True"
end

local function health(status, condition)
  return {status = status, message = condition.reason .. ": " .. condition.message}
end

local synced, secret, enabled = conditions.Synced, conditions.SigningSecretReady, conditions.Enabled
local stalled, ready = conditions.Stalled, conditions.Ready

if obj.metadata.deletionTimestamp ~= nil then
  if isTrue(stalled) then
    return health("Degraded", stalled)
  end
  return {status = "Progressing", message = "Being deleted, with its endpoint"}
end
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation or synced == nil then
  return {status = "Progressing", message = "Waiting for the operator to see this spec"}
end

-- Who only observes an endpoint has no Secret of it.
local published = isTrue(secret) or (secret == nil and obj.spec.managementPolicy == "Observe")

if synced.reason == "Suspended" then
  if published then
    return health("Healthy", synced)
  end
  return health("Suspended", synced)
end
if isTrue(synced) and published then
  if enabled ~= nil and enabled.status ~= "True" and not isTrue(ready) then
    return {status = "Healthy", message = "Configured, but not delivering: " .. enabled.reason .. ": " .. enabled.message}
  end
  if ready ~= nil then
    return health("Healthy", ready)
  end
  return health("Healthy", synced)
end

-- What is stalled may be the endpoint's state, which does not count here.
for _, condition in ipairs({synced, secret}) do
  if isTrue(stalled) and not isTrue(condition) and condition.reason == stalled.reason then
    return health("Degraded", stalled)
  end
end
if not isTrue(synced) then
  return health("Progressing", synced)
end
if secret ~= nil then
  return health("Progressing", secret)
end
return {status = "Progressing", message = "Waiting for the signing Secret"}
