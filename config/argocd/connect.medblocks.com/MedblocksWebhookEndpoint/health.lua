-- The strict health check: healthy is what is Ready, so that a disabled endpoint is not, unless spec.state asked for that.
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

if obj.metadata.deletionTimestamp ~= nil then
  if isTrue(conditions.Stalled) then
    return health("Degraded", conditions.Stalled)
  end
  return {status = "Progressing", message = "Being deleted, with its endpoint"}
end

if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "Waiting for the operator to see this spec"}
end
if conditions.Synced ~= nil and conditions.Synced.reason == "Suspended" then
  return health("Suspended", conditions.Synced)
end
if isTrue(conditions.Stalled) then
  return health("Degraded", conditions.Stalled)
end
if isTrue(conditions.Reconciling) then
  return health("Progressing", conditions.Reconciling)
end
if isTrue(conditions.Ready) then
  return health("Healthy", conditions.Ready)
end
return {status = "Progressing", message = "Waiting for the operator"}
