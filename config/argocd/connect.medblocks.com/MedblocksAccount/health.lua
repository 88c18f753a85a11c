-- Healthy is an account whose API key Medblocks accepts.
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

if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "Waiting for the operator to see this spec"}
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
