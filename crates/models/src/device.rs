//! The devices for networks.

use crate::error::ModelError;
use burn::backend::DispatchDevice;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where networks are computed. Chosen at run time among what was built in; the same network gives
/// the same values on each up to rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComputeDevice {
    /// The CPU, by burn's default CPU backend. Always built in.
    #[default]
    Flex,
    /// The CPU, by burn's ndarray backend. With the cargo feature `ndarray`.
    NdArray,
    /// A GPU through Vulkan, Metal, DirectX 12 or WebGPU. With the cargo feature `wgpu`.
    Wgpu,
}

impl ComputeDevice {
    /// All devices.
    pub const ALL: [Self; 3] = [Self::Flex, Self::NdArray, Self::Wgpu];

    /// Its name: `flex`, `ndarray`, `wgpu`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::NdArray => "ndarray",
            Self::Wgpu => "wgpu",
        }
    }

    /// Whether this build has it.
    pub fn is_built_in(self) -> bool {
        match self {
            Self::Flex => true,
            Self::NdArray => cfg!(feature = "ndarray"),
            Self::Wgpu => cfg!(feature = "wgpu"),
        }
    }

    /// burn's device.
    ///
    /// # Errors
    ///
    /// [`ModelError::NoDevice`] when this build does not include it, or this machine has no such
    /// adapter.
    pub fn open(self) -> Result<Device, ModelError> {
        match self {
            Self::Flex => Ok(Device::flex()),
            #[cfg(feature = "ndarray")]
            #[expect(deprecated, reason = "burn prefers flex; people still ask for it")]
            Self::NdArray => Ok(Device::ndarray()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => open_wgpu(),
            #[allow(
                unreachable_patterns,
                reason = "what is left without the cargo features"
            )]
            _ => Err(ModelError::NoDevice {
                device: self,
                why: "this build does not include it",
            }),
        }
    }
}

/// The adapter wgpu prefers; asking for one where there is none would panic later, in burn.
#[cfg(feature = "wgpu")]
fn open_wgpu() -> Result<Device, ModelError> {
    let adapters = Device::enumerate(burn::tensor::DeviceType::Wgpu);
    if adapters.is_empty() {
        return Err(ModelError::NoDevice {
            device: ComputeDevice::Wgpu,
            why: "no graphics adapter was found",
        });
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
            .ok_or_else(|| format!("unknown device {text}, expected flex, ndarray or wgpu"))
    }
}

/// Whether a device computes on the CPU, with or without recording gradients.
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
