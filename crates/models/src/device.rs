//! The devices for fitting networks.

use crate::error::ModelError;
#[cfg(feature = "burn")]
use burn::backend::DispatchDevice;
#[cfg(feature = "burn")]
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where networks are fitted. Chosen at run time among what was built in; the same network has the same
/// gradients on each up to rounding. Forecasts are always computed on the CPU.
///
/// `cpu` is this crate's own code and is always there. The others are backends of burn. Releases up to
/// 0.1 had no `cpu`: their default was `flex`, which still names burn's CPU backend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComputeDevice {
    /// The CPU. Always built in.
    #[default]
    Cpu,
    /// The CPU, by burn's default CPU backend. With the cargo feature `burn`.
    Flex,
    /// The CPU, by burn's ndarray backend. With the cargo feature `ndarray`.
    NdArray,
    /// A GPU through Vulkan, Metal, DirectX 12 or WebGPU, by burn. With the cargo feature `wgpu`.
    Wgpu,
}

impl ComputeDevice {
    /// All devices.
    pub const ALL: [Self; 4] = [Self::Cpu, Self::Flex, Self::NdArray, Self::Wgpu];

    /// Its name: `cpu`, `flex`, `ndarray`, `wgpu`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Flex => "flex",
            Self::NdArray => "ndarray",
            Self::Wgpu => "wgpu",
        }
    }

    /// Whether this build has it.
    pub fn is_built_in(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Flex => cfg!(feature = "burn"),
            Self::NdArray => cfg!(feature = "ndarray"),
            Self::Wgpu => cfg!(feature = "wgpu"),
        }
    }

    /// The names of the devices that this build includes.
    pub(crate) fn built_in() -> String {
        let found = Self::ALL.into_iter().filter(|device| device.is_built_in());
        let names: Vec<&str> = found.map(Self::name).collect();
        names.join(", ")
    }

    /// Refuses a device that cannot be used.
    ///
    /// # Errors
    ///
    /// [`ModelError::NoDevice`] when this build does not include it, or this machine has no such
    /// adapter.
    pub fn check(self) -> Result<(), ModelError> {
        if !self.is_built_in() {
            return Err(self.missing("this build does not include it"));
        }
        #[cfg(feature = "burn")]
        if self != Self::Cpu {
            self.open()?;
        }
        Ok(())
    }

    fn missing(self, why: &'static str) -> ModelError {
        ModelError::NoDevice { device: self, why }
    }

    /// burn's device.
    ///
    /// # Errors
    ///
    /// [`ModelError::NoDevice`] for `cpu`, which burn does not compute on, when this build does not
    /// include the device, or when this machine has no such adapter.
    #[cfg(feature = "burn")]
    pub fn open(self) -> Result<Device, ModelError> {
        match self {
            Self::Cpu => Err(self.missing("it is no device of burn")),
            Self::Flex => Ok(Device::flex()),
            #[cfg(feature = "ndarray")]
            #[expect(deprecated, reason = "burn prefers flex; people still ask for it")]
            Self::NdArray => Ok(Device::ndarray()),
            #[cfg(not(feature = "ndarray"))]
            Self::NdArray => Err(self.missing("this build does not include it")),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => open_wgpu(),
            #[cfg(not(feature = "wgpu"))]
            Self::Wgpu => Err(self.missing("this build does not include it")),
        }
    }
}

/// The adapter wgpu prefers; asking for one where there is none would panic later, in burn.
#[cfg(feature = "wgpu")]
fn open_wgpu() -> Result<Device, ModelError> {
    let adapters = Device::enumerate(burn::tensor::DeviceType::Wgpu);
    if adapters.is_empty() {
        return Err(ComputeDevice::Wgpu.missing("no graphics adapter was found"));
    }
    Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice))
}

impl fmt::Display for ComputeDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ComputeDevice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|device| device.name() == text)
            .ok_or_else(|| format!("unknown device {text}, expected cpu, flex, ndarray or wgpu"))
    }
}

/// Whether a device of burn computes on the CPU, with or without recording gradients.
#[cfg(feature = "burn")]
pub(crate) fn is_cpu(device: &Device) -> bool {
    fn of(device: &DispatchDevice) -> bool {
        match device {
            DispatchDevice::Flex(_) => true,
            #[cfg(feature = "ndarray")]
            DispatchDevice::NdArray(_) => true,
            DispatchDevice::Autodiff(inner) => of(inner),
            #[allow(
                unreachable_patterns,
                reason = "other devices need a build with their cargo features"
            )]
            _ => false,
        }
    }
    of(device.as_dispatch())
}
